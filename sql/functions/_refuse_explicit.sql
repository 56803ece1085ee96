create or replace function seqctl._refuse_explicit(
    p_what text,
    p_series_name text,
    p_given text,
    p_next text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ012',
        message = format('%s: %L is not the next of series %L, which is %L', p_what, p_given, p_series_name, p_next),
        detail = 'seqctl gives the numbers of this table. No number was used.',
        hint = 'Leave the column out of the INSERT.';
end
$function$;

comment on function seqctl._refuse_explicit(text, text, text, text) is 'Raises SQ012.';

revoke all on function seqctl._refuse_explicit(text, text, text, text) from public;
