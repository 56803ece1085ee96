-- Raises SQ006 or SQ007 where drafts, numbering at commit or chronology do not fit the table or the series' other tables.
create or replace function seqctl._check_later(p_attachment seqctl.attachment)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_column name;
    v_type oid;
    v_other record;
    v_reason text;
    v_role name;
begin
    if p_attachment.assign is null or p_attachment.assign not in ('insert', 'commit', 'manual') then
        raise exception using
            errcode = 'SQ006',
            message = format('assign %s is unknown', coalesce(quote_literal(p_attachment.assign), 'NULL')),
            hint = 'Use insert, commit or manual.';
    elsif p_attachment.chronology is null or p_attachment.chronology not in ('off', 'enforce', 'stamp') then
        raise exception using
            errcode = 'SQ006',
            message = format('chronology %s is unknown', coalesce(quote_literal(p_attachment.chronology), 'NULL')),
            hint = 'Use off, enforce or stamp.';
    elsif p_attachment.chronology <> 'off' and p_attachment.date_column is null then
        raise exception using
            errcode = 'SQ006',
            message = format('chronology %L needs a date_column', p_attachment.chronology),
            hint = 'Name the column with the date of the document: date_column => ''issued_on''.';
    end if;

    v_reason := case
        when p_attachment.assign <> 'insert' then format('assign => %L', p_attachment.assign)
        when p_attachment.issue_when is not null then 'issue_when'
    end;
    if v_reason is not null then
        select a.attname into v_column
        from pg_attribute a
        where a.attrelid = p_attachment.target
            and a.attname in (p_attachment.number_column, p_attachment.document_number_column)
            and a.attnotnull
        limit 1;
        if found then
            raise exception using
                errcode = 'SQ006',
                message = format('column %I of %s is NOT NULL, but with %s rows wait for their number', v_column, p_attachment.target, v_reason),
                hint = format('alter table %s alter column %I drop not null;', p_attachment.target, v_column);
        elsif not exists (select from seqctl._row_keys(p_attachment.target)) then
            raise exception using
                errcode = 'SQ006',
                message = format('%s has no primary key, which %s needs', p_attachment.target, v_reason),
                detail = 'Rows that get their number later must be found again, and be put in order.',
                hint = format('alter table %s add primary key (...);', p_attachment.target);
        end if;
        select k.name, k.type into v_other from seqctl._row_keys(p_attachment.target) k where not k.builtin;
        if found then
            raise exception using
                errcode = 'SQ006',
                message = format('column %I of the primary key of %s has type %s, by which rows cannot be found', v_other.name, p_attachment.target, v_other.type),
                detail = format('With %s, seqctl reads it with the rights of its owner.', v_reason),
                hint = 'Use a primary key of built-in base types, such as bigint, text or uuid: no arrays, ranges, enums or types of your own.';
        end if;
        -- seqctl's owner looks for the rows, the table's owner writes their numbers: a policy must not hide any from them.
        select r.rolname into v_role
        from pg_class c
        join pg_namespace n on n.nspname = 'seqctl'
        join pg_roles r on r.oid in (n.nspowner, c.relowner)
        where c.oid = p_attachment.target
            and c.relrowsecurity
            and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'USAGE'))
            and not (r.rolsuper or r.rolbypassrls)
        order by r.oid = c.relowner
        limit 1;
        if found then
            raise exception using
                errcode = 'SQ006',
                message = format('row-level security on %s hides rows from %I, which with %s must see all', p_attachment.target, v_role, v_reason),
                detail = 'Rows that get their number later are looked for by the owner of seqctl, and updated by the owner of the table.',
                hint = format('alter role %I bypassrls;', v_role)
                    || case when pg_has_role(v_role, (select c.relowner from pg_class c where c.oid = p_attachment.target), 'USAGE')
                        then format(' or: alter table %s no force row level security;', p_attachment.target) else '' end;
        end if;
    end if;

    if p_attachment.date_column is not null then
        select a.atttypid into v_type
        from pg_attribute a
        where a.attrelid = p_attachment.target and a.attname = p_attachment.date_column;
        if p_attachment.chronology = 'stamp' and v_type <> seqctl._base_type(v_type) then
            raise exception using
                errcode = 'SQ006',
                message = format('date_column: column %I of %s is a domain; chronology stamp cannot write it', p_attachment.date_column, p_attachment.target),
                hint = format('Make it a plain %s.', format_type(seqctl._base_type(v_type), -1));
        end if;
    end if;
    if p_attachment.chronology = 'stamp' and exists (
        select
        from pg_partition_tree(p_attachment.target) t
        join pg_partitioned_table p on p.partrelid = t.relid
        join pg_attribute a on a.attrelid = p.partrelid and (a.attnum = any (p.partattrs) or 0 = any (p.partattrs))
        where a.attname = p_attachment.date_column
    ) then
        raise exception using
            errcode = 'SQ006',
            message = format('%s is partitioned by %I, which chronology stamp would set', p_attachment.target, p_attachment.date_column),
            detail = 'PostgreSQL chooses the partition before the row is numbered, and a trigger cannot move it.',
            hint = 'Use chronology => ''enforce'', or partition by another column.';
    end if;
    if p_attachment.chronology <> 'off'
        and (select s.on_checkout from seqctl.series s where s.id = p_attachment.series_id) = 'recycle'
    then
        raise exception using
            errcode = 'SQ007',
            message = format('chronology %L: released numbers of the series are given again (on_checkout recycle)', p_attachment.chronology),
            detail = 'A released number is given to a later document: dates would run against numbers.',
            hint = 'Leave chronology off, or alter the series to on_checkout => ''wait'' or ''fail''.';
    end if;
    select b.target, b.chronology, format_type(seqctl._base_type(a.atttypid), -1) as type into v_other
    from seqctl.attachment b
    left join pg_attribute a on a.attrelid = b.target and a.attname = b.date_column
    where b.series_id = p_attachment.series_id
        and (
            b.chronology <> p_attachment.chronology
            or b.chronology <> 'off' and seqctl._base_type(a.atttypid) is distinct from seqctl._base_type(v_type)
        )
    limit 1;
    if found then
        raise exception using
            errcode = 'SQ007',
            message = format(
                'chronology %L, dates of type %s: the series also numbers %s, with chronology %L and dates of type %s',
                p_attachment.chronology, coalesce(format_type(seqctl._base_type(v_type), -1), 'none'), v_other.target, v_other.chronology, coalesce(v_other.type, 'none')
            ),
            hint = 'All tables of a series keep one chronology, over dates of one type.';
    end if;
end
$function$;

comment on function seqctl._check_later(seqctl.attachment) is 'Raises SQ006 or SQ007 where the settings of attach() for drafts and order do not fit.';

revoke all on function seqctl._check_later(seqctl.attachment) from public;
