-- What an UPDATE must not change in an issued row: whatever would give it another number, or another document number, today. Of the
-- date that is the period and the fields that the format shows; all of it where dates are kept in the order of numbers.
create or replace function seqctl._frozen_expression(p_attachment_id integer)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment seqctl.attachment;
    v_series seqctl.series;
    v_date_type regtype;
    v_dates text;
    v_date_format text;
begin
    select a.* into strict v_attachment from seqctl.attachment a where a.id = p_attachment_id;
    select s.* into strict v_series from seqctl.series s where s.id = v_attachment.series_id;
    if v_attachment.date_column is not null then
        select seqctl._base_type(a.atttypid) into v_date_type
        from pg_attribute a
        where a.attrelid = v_attachment.target and a.attname = v_attachment.date_column;
        if v_attachment.chronology <> 'off' or v_series.chain then
            v_dates := format('new.%1$I is distinct from old.%1$I', v_attachment.date_column);
        else
            -- The format without what does not come from the date.
            v_date_format := '{number}' || array_to_string(
                array(select m[1] from regexp_matches(replace(v_series.format, '{{', ''), '(\{(?:year|fiscal_year|quarter|month|day)(?::\d+)?\})', 'g') m),
                ' '
            );
            select concat_ws(
                ' or ',
                case when v_series.reset <> 'never' then format(
                    '%s is distinct from %s',
                    seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, d.new_date),
                    seqctl._period_expression(v_series.reset, v_series.fiscal_year_start, d.old_date)
                ) end,
                case when v_attachment.document_number_column is not null and v_date_format <> '{number}' then format(
                    '%s is distinct from %s',
                    seqctl._document_number_expression(v_date_format, v_series.fiscal_year_start, '0', d.new_date, ''''''),
                    seqctl._document_number_expression(v_date_format, v_series.fiscal_year_start, '0', d.old_date, '''''')
                ) end
            )
            into v_dates
            from (
                select
                    seqctl._date_expression(format('new.%I', v_attachment.date_column), v_date_type, v_series.time_zone) as new_date,
                    seqctl._date_expression(format('old.%I', v_attachment.date_column), v_date_type, v_series.time_zone) as old_date
            ) d;
        end if;
    end if;
    return (
        select string_agg(format('new.%1$I is distinct from old.%1$I', c.name), ' or ' order by c.position)
        from unnest(array[v_attachment.number_column, v_attachment.document_number_column]) with ordinality as c (name, position)
        where c.name is not null
    )
        || format(
            ' or %s is distinct from %s',
            seqctl._group_expression('new.', v_attachment.target, v_attachment.group_columns),
            seqctl._group_expression('old.', v_attachment.target, v_attachment.group_columns)
        )
        || coalesce(' or ' || nullif(v_dates, ''), '')
        || coalesce(seqctl._chain_changed(v_attachment), '')
        || case when v_attachment.issue_when is not null
            then format(
                ' or %s and (%s) is not true', seqctl._issues_expression(v_attachment, 'old.'), seqctl._issues_expression(v_attachment, 'new.'))
            else '' end;
end
$function$;

comment on function seqctl._frozen_expression(integer) is 'SQL text: whether an UPDATE changes what stays as it is in an issued row.';

revoke all on function seqctl._frozen_expression(integer) from public;
