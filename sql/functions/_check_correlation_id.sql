create or replace function seqctl._check_correlation_id(p_correlation_id text)
returns void
language plpgsql
immutable
as $function$
begin
    if p_correlation_id is null or p_correlation_id !~ '\S' or octet_length(p_correlation_id) > 1000 then
        raise exception using
            errcode = 'SQ033',
            message = case
                when octet_length(p_correlation_id) > 1000 then
                    format('the correlation id is %s bytes long; at most 1000 are allowed', octet_length(p_correlation_id))
                else format('the correlation id is %s', coalesce(quote_literal(p_correlation_id), 'NULL'))
            end,
            hint = 'Use what identifies the work across retries: the id of an order, a saga or a request.';
    end if;
end
$function$;

comment on function seqctl._check_correlation_id(text) is 'Raises SQ033 for a correlation id that identifies nothing.';

revoke all on function seqctl._check_correlation_id(text) from public;
