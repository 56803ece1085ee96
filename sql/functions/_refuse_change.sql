create or replace function seqctl._refuse_change(
    p_what text,
    p_number bigint
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ022',
        message = format('%s: number %s is issued; number, document number, group, period and being issued stay as they are', p_what, p_number),
        detail = 'An issued number stands in the documents of others. Nothing was changed.',
        hint = 'Cancel it with a document of its own (a credit note), or mark the row as cancelled.';
end
$function$;

comment on function seqctl._refuse_change(text, bigint) is 'Raises SQ022 for a change of an issued row.';

revoke all on function seqctl._refuse_change(text, bigint) from public;
