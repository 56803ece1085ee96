create or replace function seqctl._refuse_unchained(p_series seqctl.series)
returns void
language plpgsql
stable
as $function$
begin
    if exists (select from seqctl.chain_link k where k.series_id = p_series.id)
        or exists (select from seqctl.attachment a where a.series_id = p_series.id and a.chain_columns <> '{}')
    then
        raise exception using
            errcode = 'SQ041',
            message = format('the hash chain of series %L cannot be switched off', p_series.name),
            detail = case
                when exists (select from seqctl.chain_link k where k.series_id = p_series.id)
                    then 'It proves what was issued; numbers that come without it could not be told from numbers that were slipped in.'
                else 'Tables are attached with chain_columns.'
            end,
            hint = case
                when exists (select from seqctl.chain_link k where k.series_id = p_series.id)
                    then 'Create a new series without a chain; close the periods of this one when they are over.'
                else 'Detach these tables first, alter the series, and attach them without chain_columns.'
            end;
    end if;
end
$function$;

comment on function seqctl._refuse_unchained(seqctl.series) is 'Raises SQ041 where a series is to lose the hash chain that it has.';

revoke all on function seqctl._refuse_unchained(seqctl.series) from public;
