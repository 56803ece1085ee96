-- That which is open or finalized, of which there is one at most; else the one that was released last.
create or replace function seqctl._find_checkout(
    p_series_id integer,
    p_correlation_id text
)
returns seqctl.checkout
language plpgsql
volatile
as $function$
declare
    v_checkout seqctl.checkout;
begin
    select k.* into v_checkout
    from seqctl.checkout k
    where k.series_id = p_series_id and k.correlation_id = p_correlation_id and k.state <> 'released';
    if not found then
        select k.* into v_checkout
        from seqctl.checkout k
        where k.series_id = p_series_id and k.correlation_id = p_correlation_id and k.state = 'released'
        order by k.id desc
        limit 1;
    end if;
    return v_checkout;
end
$function$;

comment on function seqctl._find_checkout(integer, text) is 'The checkout of a correlation id that counts, or NULL.';

revoke all on function seqctl._find_checkout(integer, text) from public;
