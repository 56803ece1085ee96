-- One for all tables that are only added to; what is said of each stands in the arguments of its trigger: SQLSTATE, what it is, detail, hint.
create or replace function seqctl._refuse_record_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = tg_argv[0],
        message = format('%s of %s is refused', tg_op, tg_argv[1]),
        detail = tg_argv[2] || ' Nothing was changed.',
        hint = tg_argv[3];
end
$function$;

comment on function seqctl._refuse_record_change() is 'Trigger: refuses whatever would change or remove what was recorded.';

revoke all on function seqctl._refuse_record_change() from public;
