create or replace function seqctl._refuse_renamed(
    p_attachment_id integer,
    p_name text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ005',
        message = format(
            'table %s is called %s now; seqctl does not know yet', p_name,
            coalesce((select a.target::text from seqctl.attachment a where a.id = p_attachment_id), 'something else')),
        detail = 'The functions that number its rows have its old name in them. Nothing was numbered.',
        hint = 'Run seqctl install, which writes them anew.';
end
$function$;

comment on function seqctl._refuse_renamed(integer, text) is 'Raises SQ005 where a table was renamed since its functions were written.';

revoke all on function seqctl._refuse_renamed(integer, text) from public;
