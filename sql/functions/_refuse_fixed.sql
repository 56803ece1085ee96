-- What the numbers given so far depend on stays. An attached table stands in the way of what its unique index is made of.
create or replace function seqctl._refuse_fixed(
    p_series seqctl.series,
    p_changed text[]
)
returns void
language plpgsql
volatile
as $function$
declare
    v_use text;
    v_table text;
    v_index text;
    v_setting text;
begin
    v_use := case
        when exists (select from seqctl.counter c where c.series_id = p_series.id) then 'has given numbers'
        when exists (select from seqctl.period_closing p where p.series_id = p_series.id) then 'has had a period closed'
    end;
    select
        string_agg(format('%s.%I', a.target, a.number_column), ', ' order by a.id),
        string_agg(quote_ident(a.unique_index), ', ' order by a.id)
    into v_table, v_index
    from seqctl.attachment a
    where a.series_id = p_series.id;
    select c.name into v_setting
    from unnest(p_changed) with ordinality c (name, at)
    where c.name in ('reset', 'fiscal_year_start', 'time_zone') or c.name = 'first_number' and v_use is not null
    order by c.at
    limit 1;
    if v_setting is null or v_use is null and v_table is null then
        return;
    end if;
    raise exception using
        errcode = 'SQ023',
        message = format(
            '%s of series %L cannot be changed: it %s', v_setting, p_series.name, coalesce(v_use, 'numbers ' || v_table)
        ),
        detail = case
            when v_use is null then 'The table''s unique index is made of the periods as they are.'
            when v_setting = 'first_number' then format(
                'Every counter started at %s; with another first number, numbers would be missing or below the first.',
                p_series.first_number
            )
            when v_setting = 'time_zone' then
                'It decides the day of a timestamptz: numbered rows would move to another period, where their number is missing or taken.'
            else 'Each number belongs to its period: with other periods the counters would go on at the wrong number.'
        end,
        hint = case
            when v_use is null then format(
                'Detach the table%s, alter the series, and attach the table again.', ', drop its index ' || v_index
            )
            else 'Create a new series with that setting; close the periods of this one when they are over.'
        end;
end
$function$;

comment on function seqctl._refuse_fixed(seqctl.series, text[]) is 'Raises SQ023 for a setting that a series in use cannot change.';

revoke all on function seqctl._refuse_fixed(seqctl.series, text[]) from public;
