-- The texts come from _attachment_functions, so that verify can compare them without writing.
create or replace function seqctl._generate_attachment(p_attachment_id integer)
returns void
language plpgsql
volatile
as $function$
declare
    v_attachment seqctl.attachment;
    v_function record;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    if not seqctl._is_complete(v_attachment) then
        return;
    end if;
    if v_attachment.issue_when is not null and exists (select from pg_catalog.pg_class c where c.oid = v_attachment.target) then
        -- Its body is stored parsed, so it means the same under every search_path, and PostgreSQL puts it in line where it is called.
        perform seqctl._create_attachment_function(
            p_attachment_id,
            format(
                'seqctl._attachment_%s_issues(%s)',
                p_attachment_id,
                (
                    select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by c.position)
                    from unnest(v_attachment.issue_columns) with ordinality as c (name, position)
                    join pg_attribute a on a.attrelid = v_attachment.target and a.attname = c.name and not a.attisdropped
                )
            ),
            format('returns boolean language sql immutable return (%s)', v_attachment.issue_when)
        );
        -- Whatever it means by now, it must mean PostgreSQL's own.
        if exists (
            select
            from pg_depend d
            where d.classid = 'pg_proc'::regclass
                and d.objid = to_regproc(format('seqctl._attachment_%s_issues', p_attachment_id))
                and d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass)
        ) then
            raise exception using
                errcode = 'SQ019',
                message = format('issue_when: %L uses functions, operators or casts that are not built in', v_attachment.issue_when),
                hint = 'Write it with built-in functions and operators over columns of built-in types and enums.';
        end if;
        -- A trigger's WHEN clause is evaluated with the rights of whoever writes the row.
        execute format('grant execute on function seqctl._attachment_%s_issues to public', p_attachment_id);
    end if;
    for v_function in select f.* from seqctl._attachment_functions(p_attachment_id) f loop
        perform seqctl._create_attachment_function(
            p_attachment_id,
            format('seqctl._attachment_%s_%s(%s)', p_attachment_id, v_function.kind, v_function.arguments),
            format('returns %s language plpgsql security definer %s as %L', v_function.result, v_function.settings, v_function.body)
        );
    end loop;
    perform seqctl._allow_partitions(p_attachment_id);
end
$function$;

comment on function seqctl._generate_attachment(integer) is 'Writes the functions of an attachment.';

revoke all on function seqctl._generate_attachment(integer) from public;
