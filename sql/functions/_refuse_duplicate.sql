create or replace function seqctl._refuse_duplicate(
    p_what text,
    p_number bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ013',
        message = format('%s: number %s exists already', p_what, p_number),
        detail = 'Nothing was inserted.',
        hint = 'Leave the number out of the INSERT.';
end
$function$;

comment on function seqctl._refuse_duplicate(text, bigint) is 'Raises SQ013 for a number that another row has.';

revoke all on function seqctl._refuse_duplicate(text, bigint) from public;
