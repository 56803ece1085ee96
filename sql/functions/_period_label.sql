create or replace function seqctl._period_label(
    p_reset text,
    p_fiscal_year_start text,
    p_period date
)
returns text
language sql
immutable
parallel safe
as $function$
    select case
        when p_reset = 'never' then ''
        when p_reset = 'yearly' and p_fiscal_year_start <> '01-01' then 'FY' || to_char(p_period, 'YYYY')
        when p_reset = 'yearly' then to_char(p_period, 'YYYY')
        when p_reset = 'quarterly' then to_char(p_period, 'YYYY-"Q"Q')
        when p_reset = 'monthly' then to_char(p_period, 'YYYY-MM')
        else to_char(p_period, 'YYYY-MM-DD')
    end
$function$;

comment on function seqctl._period_label(text, text, date) is
    'A period as people write it: 2026, FY2026 (the year it starts in), 2026-Q1, 2026-03, 2026-03-09.';

revoke all on function seqctl._period_label(text, text, date) from public;
