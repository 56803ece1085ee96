-- Dates must not run against numbers. p_first_at is the earliest date of the rows that a counter is about to take in, p_backwards how
-- many of them are dated before the one with the number below. The caller holds the counter's lock.
create or replace function seqctl._check_chronology(
    p_series_id integer,
    p_what text,
    p_group_key text,
    p_period date,
    p_date_type regtype,
    p_first_at timestamp,
    p_backwards bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_last_at timestamp;
    v_last text;
begin
    select c.last_at into v_last_at
    from seqctl.counter c
    where c.series_id = p_series_id and c.group_key = p_group_key and c.period = p_period;
    if p_first_at < v_last_at then
        v_last := case p_date_type
            when 'date'::regtype then v_last_at::date::text
            when 'timestamp'::regtype then v_last_at::text
            else timezone('UTC', v_last_at)::text
        end;
        raise exception using
            errcode = 'SQ021',
            message = format(
                '%s: a document dated %s cannot follow one dated %s', p_what,
                case p_date_type
                    when 'date'::regtype then p_first_at::date::text
                    when 'timestamp'::regtype then p_first_at::text
                    else timezone('UTC', p_first_at)::text
                end,
                v_last
            ),
            detail = format(
                'Series %L keeps dates in the order of its numbers. Nothing was numbered.',
                (select s.name from seqctl.series s where s.id = p_series_id)
            ),
            hint = format('Date it %s or later.', v_last);
    elsif p_backwards > 0 then
        raise exception using
            errcode = 'SQ021',
            message = format('%s: %s of the documents are dated before the one with the number below', p_what, p_backwards),
            detail = format(
                'Series %L keeps dates in the order of its numbers. Nothing was numbered.',
                (select s.name from seqctl.series s where s.id = p_series_id)
            ),
            hint = 'Insert them in the order of their dates.';
    end if;
end
$function$;

comment on function seqctl._check_chronology(integer, text, text, date, regtype, timestamp, bigint) is 'Raises SQ021 where dates run against numbers.';

revoke all on function seqctl._check_chronology(integer, text, text, date, regtype, timestamp, bigint) from public;
