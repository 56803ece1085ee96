create or replace function seqctl._refuse_unissued(
    p_what text,
    p_series_name text
)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ012',
        message = format('%s: an UPDATE wrote a number, which only series %L gives', p_what, p_series_name),
        detail = 'seqctl gives the numbers of this table: in the INSERT, at commit, or by seqctl.number_pending(). No number was used.',
        hint = 'Leave number and document number out of the UPDATE.';
end
$function$;

comment on function seqctl._refuse_unissued(text, text) is 'Raises SQ012 for a number that an UPDATE writes by hand.';

revoke all on function seqctl._refuse_unissued(text, text) from public;
