-- Raises SQ006 or SQ042 where the columns that a hash chain is to cover do not fit.
create or replace function seqctl._check_chain(p_attachment seqctl.attachment)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_series seqctl.series;
    v_column name;
begin
    if p_attachment.chain_columns = '{}' then
        return;
    end if;
    select s.* into strict v_series from seqctl.series s where s.id = p_attachment.series_id;
    if not v_series.chain then
        raise exception using
            errcode = 'SQ042',
            message = format('chain_columns: series %L keeps no hash chain', v_series.name),
            hint = format('Leave chain_columns out, or switch the chain on first: select seqctl.alter_series(%L, chain => true).', v_series.name);
    end if;
    foreach v_column in array p_attachment.chain_columns loop
        perform seqctl._check_column(
            p_attachment.target, 'chain_columns', v_column,
            '{text,varchar,bpchar,name,uuid,smallint,integer,bigint,numeric,real,"double precision",boolean,date,time,timestamp,timestamptz,'
            'interval,bytea,json,jsonb,anyenum}',
            false
        );
    end loop;
    if p_attachment.chain_columns && (
            array[p_attachment.number_column, p_attachment.document_number_column, p_attachment.date_column] || p_attachment.group_columns
        )
        or (select count(distinct c) from unnest(p_attachment.chain_columns) c) <> cardinality(p_attachment.chain_columns)
    then
        raise exception using
            errcode = 'SQ006',
            message = format('chain_columns: one column of %s is named twice', p_attachment.target),
            hint = 'Number, document number, date and group are in the chain without being named.';
    elsif cardinality(p_attachment.chain_columns) > 90 then
        raise exception using
            errcode = 'SQ006',
            message = format('chain_columns names %s columns', cardinality(p_attachment.chain_columns)),
            hint = 'A chain covers 90 columns at most.';
    end if;
end
$function$;

comment on function seqctl._check_chain(seqctl.attachment) is 'Checks the columns that a hash chain is to cover.';

revoke all on function seqctl._check_chain(seqctl.attachment) from public;
