-- The document number of a finalized checkout left the database before its row came, which gets that one, whatever the format is by now. A row
-- whose date would make another one is refused, by the format of that time as well. p_document_number is what the format makes of the row, NULL where chance is part of it.
create or replace function seqctl._finalized_document(
    p_series_id integer,
    p_what text,
    p_group_key text,
    p_period date,
    p_date date,
    p_number bigint,
    p_document_number text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_checkout seqctl.checkout;
    v_series seqctl.series;
begin
    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series_id
        and k.group_key = p_group_key
        and k.period = p_period
        and k.number = p_number
        and k.state = 'finalized';
    if v_checkout.document_number <> p_document_number then
        select s.* into v_series from seqctl.series s where s.id = p_series_id;
        v_series.max_length := null;
        for v_series.format in
            select f.format from seqctl.former_format f where f.series_id = p_series_id and f.replaced_at >= v_checkout.opened_at
        loop
            if v_series.format ~ '\{random:' or seqctl._document_number(v_series, p_number, p_date, p_group_key) = v_checkout.document_number then
                return v_checkout.document_number;
            end if;
        end loop;
        raise exception using
            errcode = 'SQ039',
            message = format(
                '%s: number %s was checked out as %L, but the row makes it %L',
                p_what, p_number, v_checkout.document_number, p_document_number
            ),
            detail = format(
                'It was checked out for %s. Nothing was inserted.', coalesce(to_char(v_checkout.on_date, 'YYYY-MM-DD'), 'no date')),
            hint = 'Give the row the date for which the number was checked out.';
    end if;
    return v_checkout.document_number;
end
$function$;

comment on function seqctl._finalized_document(integer, text, text, date, date, bigint, text) is
    'The document number under which a number was checked out; NULL where it was not, SQ039 where the row would have another.';

revoke all on function seqctl._finalized_document(integer, text, text, date, date, bigint, text) from public;
