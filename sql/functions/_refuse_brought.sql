create or replace function seqctl._refuse_brought(
    p_attachment_id integer,
    p_operation text,
    p_what text,
    p_number bigint
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_attachment record;
begin
    select a.assign, a.series_id, s.name into v_attachment
    from seqctl.attachment a
    join seqctl.series s on s.id = a.series_id
    where a.id = p_attachment_id;
    if p_operation = 'UPDATE' then
        perform seqctl._refuse_unissued(p_what, v_attachment.name);
    end if;
    raise exception using
        errcode = 'SQ012',
        message = format('%s: a row came with a number, but series %L gives it later', p_what, v_attachment.name),
        detail = case v_attachment.assign
            when 'commit' then 'The transaction numbers its rows when it commits. No number was used.'
            else 'Rows are numbered by seqctl.number_pending(). No number was used.'
        end,
        hint = case
            when exists (
                select from seqctl.checkout k
                where k.series_id = v_attachment.series_id and k.number = p_number and k.state = 'finalized'
            ) then 'Only a table that is attached with assign => ''insert'' takes numbers that were checked out.'
            else 'Leave number and document number out of the INSERT.'
        end;
end
$function$;

comment on function seqctl._refuse_brought(integer, text, text, bigint) is 'Raises SQ012: a statement brings a number.';

revoke all on function seqctl._refuse_brought(integer, text, text, bigint) from public;
