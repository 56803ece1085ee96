-- Where a document number depends on nothing but the number and its counter, a run of them can be written from one text: the format,
-- with the number left open. NULL where it also depends on the day, or on chance.
create or replace function seqctl._run_template(p_series seqctl.series)
returns text
language sql
immutable
as $function$
    select case
        when f.bare ~ '\{random:' or (select count(distinct coalesce(m[1], '')) from regexp_matches(f.bare, '\{number(:\d+)?\}', 'g') m) <> 1 then null
        when exists (
            select
            from regexp_matches(f.bare, '\{(year|fiscal_year|quarter|month|day)(?::\d+)?\}', 'g') m
            where m[1] <> all (
                case p_series.reset
                    when 'never' then '{}'
                    when 'yearly' then case when p_series.fiscal_year_start = '01-01' then '{year,fiscal_year}' else '{fiscal_year}' end
                    when 'quarterly' then '{year,quarter}'
                    when 'monthly' then '{year,quarter,month}'
                    else '{year,fiscal_year,quarter,month,day}'
                end::text[]
            )
        ) then null
        else regexp_replace(p_series.format, '(?<!\{)\{number:\d+\}', '{number}', 'g')
    end
    from (select replace(p_series.format, '{{', '') as bare) f
$function$;

comment on function seqctl._run_template(seqctl.series) is 'The format of a series with {number} open, if a counter''s document numbers differ in nothing else.';

revoke all on function seqctl._run_template(seqctl.series) from public;
