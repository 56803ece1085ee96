-- Only gives. Also what seqctl install does, which takes nothing away that somebody has given by hand.
create or replace function seqctl._grant_level(
    p_role name,
    p_level text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_signature text;
begin
    execute format('grant usage on schema seqctl to %I', p_role);
    execute format(
        'grant select on seqctl.installation, seqctl.migration, seqctl.series, seqctl.counter, seqctl.period_closing, seqctl.voided_range, seqctl.counter_correction, seqctl.checkout, seqctl.chain_link, seqctl.chain_scope, seqctl.former_format, seqctl.accepted_inversion, seqctl.attachment, seqctl.counters, seqctl.closings, seqctl.voids, seqctl.counter_corrections, seqctl.checkouts, seqctl.chain_heads, seqctl.attachments to %I',
        p_role
    );
    for v_signature in
        select g.signature
        from seqctl._grantable_functions() g
        where array_position('{read,issue,admin}', g.level) <= array_position('{read,issue,admin}', p_level)
    loop
        execute format('grant execute on function %s to %I', v_signature, p_role);
    end loop;
end
$function$;

comment on function seqctl._grant_level(name, text) is 'Gives a role what a level gives.';

revoke all on function seqctl._grant_level(name, text) from public;
