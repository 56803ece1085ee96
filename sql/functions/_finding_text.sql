create or replace function seqctl._finding_text(
    p_finding text,
    p_from bigint,
    p_to bigint,
    p_document_number text,
    p_row_count bigint,
    p_note text
)
returns text
language sql
immutable
as $function$
    select case p_finding
        when 'duplicate' then format('number %s stands on %s rows', p_from, p_row_count)
        when 'gap' then case when p_from = p_to then format('number %s is missing', p_from)
            else format('numbers %s to %s are missing (%s)', p_from, p_to, p_row_count) end
        when 'inversion' then p_note
        when 'below_first_number' then format('number %s is below the first number of the series', p_from)
        when 'above_max_number' then format('number %s is above the highest that the series and the column allow', p_from)
        when 'without_number' then case when p_row_count = 1 then '1 row is due and has no number'
            else format('%s rows are due and have no number', p_row_count) end
        when 'without_group' then concat(
            case when p_from is null then format('%L', left(p_document_number, 200)) else 'number ' || p_from end,
            ' stands on a row without a usable group', ': ' || p_note
        )
        when 'without_date' then concat(
            case when p_from is null then format('%L', left(p_document_number, 200)) else 'number ' || p_from end,
            ' stands on a row without a usable date', ': ' || p_note
        )
        when 'without_text' then format('number %s has no document number', p_from)
        when 'unreadable_text' then format('no number can be read out of %L', left(p_document_number, 200))
        when 'draft_text' then format('%L stands in a draft; no number can be read out of it', left(p_document_number, 200))
        when 'draft_with_number' then format('number %s stands on a row that does not meet issue_when', p_from)
        when 'text_disagrees' then format('%L: %s', left(p_document_number, 200), p_note)
        when 'text_unlike_format' then format('%L is not what the series would write; it stays as it is', left(p_document_number, 200))
        when 'counter' then format('%s number%s, from %s on; the next is %s', p_row_count, case when p_row_count <> 1 then 's' end, p_from, p_to + 1)
    end
$function$;

comment on function seqctl._finding_text(text, bigint, bigint, text, bigint, text) is 'A finding of adopt() as a sentence.';

revoke all on function seqctl._finding_text(text, bigint, bigint, text, bigint, text) from public;
