create or replace function seqctl._refuse_wrong(
    p_what text,
    p_series_name text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ012',
        message = format('%s: a row has a number, but not the document number that series %L gives it, or is no longer to be issued',
            p_what, p_series_name),
        detail = 'A statement wrote them by hand, or a trigger of the table changed the row while it was numbered. Nothing was changed.',
        hint = 'Leave number and document number to seqctl, and the group, the date and the status as they are while a row is numbered.';
end
$function$;

comment on function seqctl._refuse_wrong(text, text) is 'Raises SQ012 where a numbered row does not go with its number.';

revoke all on function seqctl._refuse_wrong(text, text) from public;
