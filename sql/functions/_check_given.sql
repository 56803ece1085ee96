-- The numbers that were given must be possible under the new limits too; the caller has locked the counters. What a date is
-- makes no difference to the length of a document number.
create or replace function seqctl._check_given(p_series seqctl.series)
returns void
language plpgsql
volatile
as $function$
declare
    v_document_number text := seqctl._document_number_expression(
        p_series.format, p_series.fiscal_year_start, 'c.last_number', 'date ''2001-12-31''', 'c.group_key');
    v_counter record;
begin
    select c.* into v_counter
    from seqctl.counter c
    where c.series_id = p_series.id and c.last_number > p_series.max_number
    order by c.last_number desc
    limit 1;
    if found then
        raise exception using
            errcode = 'SQ023',
            message = format(
                'max_number of series %L cannot be %s: number %s was given', p_series.name, p_series.max_number, v_counter.last_number
            ),
            detail = format(
                'In %s%s.',
                seqctl._period_text(p_series, v_counter.period),
                case when v_counter.group_key <> '' then format(', group %L', v_counter.group_key) end
            ),
            hint = format('Use %s or more.', v_counter.last_number);
    end if;
    select k.period, k.group_key, k.number as last_number into v_counter
    from seqctl.checkout k
    where k.series_id = p_series.id and k.state = 'open' and k.number > p_series.max_number
    limit 1;
    if found then
        raise exception using
            errcode = 'SQ023',
            message = format(
                'max_number of series %L cannot be %s: number %s is checked out',
                p_series.name, p_series.max_number, v_counter.last_number
            ),
            detail = format(
                'In %s%s.',
                seqctl._period_text(p_series, v_counter.period),
                case when v_counter.group_key <> '' then format(', group %L', v_counter.group_key) end
            ),
            hint = format('Use %s or more.', v_counter.last_number);
    end if;
    if p_series.max_length is null then
        return;
    end if;
    select k.period, k.group_key, k.number as last_number, k.document_number, length(k.document_number) as length into v_counter
    from seqctl.checkout k
    where k.series_id = p_series.id and k.state = 'open' and length(k.document_number) > p_series.max_length
    order by length(k.document_number) desc
    limit 1;
    if found then
        raise exception using
            errcode = 'SQ023',
            message = format(
                'max_length of series %L cannot be %s: %L is checked out, and has %s characters',
                p_series.name, p_series.max_length, v_counter.document_number, v_counter.length
            ),
            detail = format(
                'Number %s in %s%s.',
                v_counter.last_number,
                seqctl._period_text(p_series, v_counter.period),
                case when v_counter.group_key <> '' then format(', group %L', v_counter.group_key) end
            ),
            hint = format('Use %s or more, or wait until it is settled.', v_counter.length);
    end if;
    execute format(
        'select c.group_key, c.period, c.last_number, x.length
        from seqctl.counter c
        cross join lateral (select length(%s) as length) x
        where c.series_id = $1 and c.last_number >= $2 and x.length > $3
        order by x.length desc
        limit 1',
        v_document_number
    )
    into v_counter
    using p_series.id, p_series.first_number, p_series.max_length;
    if v_counter.length is not null then
        raise exception using
            errcode = 'SQ023',
            message = format(
                'max_length %s of series %L is too short for format %L: the document number of %s has %s characters',
                p_series.max_length, p_series.name, p_series.format, v_counter.last_number, v_counter.length
            ),
            detail = format(
                'That number was given in %s%s.',
                seqctl._period_text(p_series, v_counter.period),
                case when v_counter.group_key <> '' then format(', group %L', v_counter.group_key) end
            ),
            hint = format('Use %s or more, or a shorter format.', v_counter.length);
    end if;
end
$function$;

comment on function seqctl._check_given(seqctl.series) is 'Raises SQ023 for limits that are below numbers that were given.';

revoke all on function seqctl._check_given(seqctl.series) from public;
