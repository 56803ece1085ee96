create or replace function seqctl._refuse_length(
    p_series_name text,
    p_document_number text,
    p_max_length integer
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    raise exception using
        errcode = 'SQ015',
        message = format(
            'document number %L of series %L is %s characters long; max_length is %s',
            p_document_number, p_series_name, length(p_document_number), p_max_length
        ),
        detail = 'No number was used.',
        hint = 'Shorten the group value or the format, or raise max_length if the rules you follow allow it.';
end
$function$;

comment on function seqctl._refuse_length(text, text, integer) is 'Raises SQ015.';

revoke all on function seqctl._refuse_length(text, text, integer) from public;
