-- Domains are let in only where a value is read: assigning to one would run its check with the rights of seqctl's owner.
create or replace function seqctl._check_column(
    p_target regclass,
    p_parameter text,
    p_column name,
    p_types text[],
    p_written boolean
)
returns void
language plpgsql
stable
as $function$
declare
    v_column pg_attribute;
    v_type oid;
    v_default text;
    v_problem text;
    v_hint text;
begin
    select a.* into v_column
    from pg_attribute a
    where a.attrelid = p_target and a.attname = p_column and a.attnum > 0 and not a.attisdropped;
    if not found then
        raise exception using
            errcode = 'SQ006',
            message = format('%s: %s has no column %s', p_parameter, p_target, coalesce(quote_ident(p_column), 'NULL')),
            detail = (
                select 'Columns: ' || string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                from pg_attribute a
                where a.attrelid = p_target and a.attnum > 0 and not a.attisdropped
            ),
            hint = 'Correct the name, or add the column.';
    end if;

    v_type := case when p_written then v_column.atttypid else seqctl._base_type(v_column.atttypid) end;
    select pg_get_expr(d.adbin, d.adrelid) into v_default
    from pg_attrdef d
    where d.adrelid = p_target and d.adnum = v_column.attnum;

    if not exists (
        select
        from unnest(p_types) t
        where case t
            when 'anyenum' then exists (select from pg_type y where y.oid = v_type and y.typtype = 'e')
            else t::regtype = v_type
        end
    ) then
        v_problem := format('has type %s', format_type(v_column.atttypid, v_column.atttypmod));
        v_hint := 'It must be ' || replace(array_to_string(p_types, ', '), 'anyenum', 'an enum') || '.';
    elsif v_column.attgenerated <> '' then
        v_problem := 'is a generated column';
        v_hint := 'Generated values do not exist yet when a row is numbered. Use the column they are made from.';
    elsif p_written and v_column.attidentity <> '' then
        v_problem := 'is an identity column, which PostgreSQL numbers with gaps';
        v_hint := format('alter table %s alter column %I drop identity;', p_target, p_column);
    elsif p_written and v_default is not null and v_default !~ '^NULL\M' then
        v_problem := format('has the default %s, so every row would come with a number of its own', v_default);
        v_hint := format('alter table %s alter column %I drop default;', p_target, p_column);
    elsif exists (select from pg_collation c where c.oid = v_column.attcollation and not c.collisdeterministic) then
        v_problem := 'has a nondeterministic collation, so different texts count as equal';
        v_hint := 'Use a column with a deterministic collation.';
    end if;
    if v_problem is not null then
        raise exception using
            errcode = 'SQ006',
            message = format('%s: column %I of %s %s', p_parameter, p_column, p_target, v_problem),
            hint = v_hint;
    end if;
end
$function$;

comment on function seqctl._check_column(regclass, text, name, text[], boolean) is
    'Raises SQ006 where a column cannot play the part it is given.';

revoke all on function seqctl._check_column(regclass, text, name, text[], boolean) from public;
