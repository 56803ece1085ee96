create or replace function seqctl._format_needs_date(p_format text)
returns boolean
language sql
immutable
as $function$
    select replace(p_format, '{{', '') ~ '\{(year|fiscal_year|quarter|month|day)[:}]'
$function$;

comment on function seqctl._format_needs_date(text) is 'Whether a format has a field that comes from the date.';

revoke all on function seqctl._format_needs_date(text) from public;
