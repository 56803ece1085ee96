create or replace function seqctl._refuse_register_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ029',
        message = format('%s of the void register is refused', tg_op),
        detail = 'What was recorded about missing and annulled numbers stays as it was recorded. Nothing was changed.',
        hint = 'New entries are made with seqctl.void().';
end
$function$;

comment on function seqctl._refuse_register_change() is 'Trigger: refuses whatever would change or remove entries of the void register.';

revoke all on function seqctl._refuse_register_change() from public;
