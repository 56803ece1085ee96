-- Raises SQ002 for the first setting that cannot work, and warns where one is legal but probably not meant.
create or replace function seqctl._check_series(p_series seqctl.series)
returns void
language plpgsql
stable
as $function$
declare
    v_expression text;
    v_longest text;
    v_fields text;
    v_missing text;
begin
    if p_series.name is null or p_series.name !~ '\S' or length(p_series.name) > 100 or p_series.name ~ '[[:cntrl:]]|^\s|\s$' then
        raise exception using
            errcode = 'SQ002',
            message = format('series name %s is not usable', coalesce(quote_literal(left(p_series.name, 120)), 'NULL')),
            hint = 'A name is 1 to 100 printable characters without a blank at either end, for example ''invoice''.';
    end if;
    if p_series.reset is null or p_series.reset not in ('never', 'yearly', 'quarterly', 'monthly', 'daily') then
        raise exception using
            errcode = 'SQ002',
            message = format('reset %s is unknown', coalesce(quote_literal(p_series.reset), 'NULL')),
            hint = 'Use never, yearly, quarterly, monthly or daily.';
    end if;
    -- 2001 is no leap year: a fiscal year must be able to start every year.
    if p_series.fiscal_year_start is null
        or p_series.fiscal_year_start !~ '^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
        or right(p_series.fiscal_year_start, 2)::integer > extract(
            day from date_trunc('month', ('2001-' || left(p_series.fiscal_year_start, 2) || '-01')::date) + interval '1 mon - 1 day'
        )
    then
        raise exception using
            errcode = 'SQ002',
            message = format('fiscal_year_start %s is not a day of every year', coalesce(quote_literal(p_series.fiscal_year_start), 'NULL')),
            hint = 'Write month and day, for example ''04-01''.';
    end if;
    if p_series.fiscal_year_start <> '01-01' and p_series.reset in ('quarterly', 'monthly', 'daily')
        and p_series.format !~ '\{fiscal_year\}'
    then
        raise exception using
            errcode = 'SQ002',
            message = format('fiscal_year_start %L has no effect on a series that resets %s', p_series.fiscal_year_start, p_series.reset),
            hint = 'Use reset => ''yearly'', or put {fiscal_year} in the format. Quarters are those of the calendar.';
    end if;
    if p_series.time_zone is null
        or not exists (select from pg_timezone_names z where z.name = p_series.time_zone)
    then
        raise exception using
            errcode = 'SQ002',
            message = format('time zone %s is unknown', coalesce(quote_literal(p_series.time_zone), 'NULL')),
            hint = 'Use a full name from pg_timezone_names, for example ''Europe/Rome''; abbreviations do not know summer time.';
    end if;
    if p_series.first_number is null or p_series.first_number < 0 then
        raise exception using
            errcode = 'SQ002',
            message = format('first_number is %s', coalesce(p_series.first_number::text, 'NULL')),
            hint = 'Use 0 or more; most laws expect 1.';
    end if;
    if p_series.max_number < p_series.first_number then
        raise exception using
            errcode = 'SQ002',
            message = format('max_number %s is below first_number %s', p_series.max_number, p_series.first_number),
            hint = 'Raise max_number, or leave it out.';
    end if;
    if p_series.max_length < 1 then
        raise exception using
            errcode = 'SQ002',
            message = format('max_length is %s', p_series.max_length),
            hint = 'Use 1 or more, or leave it out.';
    end if;
    if p_series.format is null then
        raise exception using
            errcode = 'SQ002',
            message = 'format is NULL',
            hint = 'Leave it out for the bare number, or write for example ''INV-{year}-{number:5}''.';
    end if;

    if p_series.format ~ '[[:cntrl:]]' then
        raise exception using
            errcode = 'SQ002',
            message = format('format %L has a line break, or another character that cannot be printed', p_series.format),
            hint = 'Leave it out: a document number stands on paper.';
    end if;

    v_expression := seqctl._document_number_expression(p_series.format, p_series.fiscal_year_start, '$1', '$2', '$3');
    if p_series.max_length is not null then
        execute 'select ' || v_expression into v_longest
        using coalesce(p_series.max_number, p_series.first_number), date '2001-12-31', '';
        if length(v_longest) > p_series.max_length then
            raise exception using
                errcode = 'SQ002',
                message = format(
                    'max_length %s is shorter than the document number of %s, %L (%s characters)',
                    p_series.max_length,
                    case when p_series.max_number is null then 'first_number' else 'max_number' end,
                    v_longest, length(v_longest)
                ),
                hint = case when p_series.max_number is null then 'Shorten the format, or raise max_length.'
                    else 'Lower max_number, shorten the format, or raise max_length.' end;
        end if;
    end if;

    -- Two periods that share a document number are legal (Italy allows it), but seldom meant.
    v_fields := replace(p_series.format, '{{', '');
    v_missing := case
        when p_series.reset = 'never' then null
        when v_fields !~ '\{(year|year:2|fiscal_year)\}' then '{year}'
        when p_series.reset = 'yearly' and p_series.fiscal_year_start <> '01-01' and v_fields !~ '\{fiscal_year\}' then '{fiscal_year}'
        when p_series.reset = 'quarterly' and v_fields !~ '\{(quarter|month)\}' then '{quarter}'
        when p_series.reset in ('monthly', 'daily') and v_fields !~ '\{month\}' then '{month}'
        when p_series.reset = 'daily' and v_fields !~ '\{day\}' then '{day}'
    end;
    if v_missing is not null then
        raise warning using
            message = format(
                'series %L resets %s, but its format %L has no %s: two periods will share document numbers',
                p_series.name, p_series.reset, p_series.format, v_missing
            ),
            hint = format('Put %s in the format, unless the period stands elsewhere on the document.', v_missing);
    end if;
end
$function$;

comment on function seqctl._check_series(seqctl.series) is 'Refuses settings of a series that cannot work, with SQ002.';

revoke all on function seqctl._check_series(seqctl.series) from public;
