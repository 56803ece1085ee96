create or replace function seqctl._document_number(
    p_series seqctl.series,
    p_number bigint,
    p_date date,
    p_group_key text
)
returns text
language plpgsql
volatile
as $function$
declare
    v_document_number text;
begin
    execute 'select ' || seqctl._document_number_expression(p_series.format, p_series.fiscal_year_start, '$1', '$2', '$3')
    into v_document_number
    using p_number, p_date, p_group_key;
    if length(v_document_number) > p_series.max_length then
        perform seqctl._refuse_length(p_series.name, v_document_number, p_series.max_length);
    end if;
    return v_document_number;
end
$function$;

comment on function seqctl._document_number(seqctl.series, bigint, date, text) is 'The document number of a number, for API calls.';

revoke all on function seqctl._document_number(seqctl.series, bigint, date, text) from public;
