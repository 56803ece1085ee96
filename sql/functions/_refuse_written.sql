create or replace function seqctl._refuse_written(
    p_what text,
    p_expected bigint,
    p_written bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ013',
        message = format('%s: %s rows were to get a number, but %s could be updated', p_what, p_expected, coalesce(p_written, 0)),
        detail = 'A BEFORE UPDATE trigger or a row-level security policy of the table kept the others. Nothing was numbered.',
        hint = 'Let the trigger return the row, and let the table''s owner update every row.';
end
$function$;

comment on function seqctl._refuse_written(text, bigint, bigint) is 'Raises SQ013 where rows refused the UPDATE that numbers them.';

revoke all on function seqctl._refuse_written(text, bigint, bigint) from public;
