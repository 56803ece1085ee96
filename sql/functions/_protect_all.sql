-- BEFORE TRUNCATE, on the table and on each partition. Argument: attachment id.
create or replace function seqctl._protect_all()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $function$
declare
    v_attachment seqctl.attachment;
    v_found boolean;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = tg_argv[0]::integer;
    execute format(
        'select exists (select from %s t where t.%I is not null%s)',
        v_attachment.target, v_attachment.number_column, case when tg_relid <> v_attachment.target then ' and t.tableoid = $1' end
    ) into v_found using tg_relid;
    if v_found then
        raise exception using
            errcode = 'SQ022',
            message = format('%s holds issued documents; it cannot be truncated', tg_relid::regclass),
            detail = 'An issued number stands in the documents of others. Nothing was changed.',
            hint = 'Keep the rows, or detach the table first: the gaps will then be seen by seqctl verify.';
    end if;
    return null;
end
$function$;

comment on function seqctl._protect_all() is 'Trigger: refuses to truncate a table that holds issued rows, with SQ022.';

revoke all on function seqctl._protect_all() from public;
