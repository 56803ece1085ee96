create or replace function seqctl._refuse_change(
    p_what text,
    p_number bigint,
    p_refused text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ022',
        message = format('%s: number %s is issued; %s', p_what, p_number, p_refused),
        detail = 'An issued number stands in the documents of others. Nothing was changed.',
        hint = 'Cancel it with a document of its own (a credit note), or mark the row as cancelled.';
end
$function$;

comment on function seqctl._refuse_change(text, bigint, text) is 'Raises SQ022 for what an issued row does not allow.';

revoke all on function seqctl._refuse_change(text, bigint, text) from public;
