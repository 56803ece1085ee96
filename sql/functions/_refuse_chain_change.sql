create or replace function seqctl._refuse_chain_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ040',
        message = format('%s of the hash chains is refused', tg_op),
        detail = 'They prove what was issued. Nothing was changed.',
        hint = 'Links are added when numbers are issued, and stay. seqctl verify compares them with the tables.';
end
$function$;

comment on function seqctl._refuse_chain_change() is 'Trigger: refuses whatever would change or remove links of a hash chain.';

revoke all on function seqctl._refuse_chain_change() from public;
