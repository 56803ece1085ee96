-- seqctl install only gives: it takes nothing away that somebody has given by hand.
create or replace function seqctl._grant_level(
    p_role name,
    p_level text,
    p_take_higher boolean
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
    v_function record;
begin
    execute format('grant usage on schema seqctl to %I', p_role);
    execute format(
        'grant select on seqctl.installation, seqctl.migration, seqctl.series, seqctl.counter, seqctl.period_closing, seqctl.voided_range, seqctl.counter_correction, seqctl.checkout, seqctl.chain_link, seqctl.chain_scope, seqctl.former_format, seqctl.accepted_inversion, seqctl.attachment, seqctl.counters, seqctl.closings, seqctl.voids, seqctl.counter_corrections, seqctl.checkouts, seqctl.chain_heads, seqctl.attachments to %I',
        p_role
    );
    for v_function in
        select g.signature, array_position('{read,issue,admin}', g.level) <= array_position('{read,issue,admin}', p_level) as is_given
        from seqctl._grantable_functions() g
    loop
        if v_function.is_given then
            execute format('grant execute on function %s to %I', v_function.signature, p_role);
        elsif p_take_higher then
            execute format('revoke execute on function %s from %I', v_function.signature, p_role);
        end if;
    end loop;
end
$function$;

comment on function seqctl._grant_level(name, text, boolean) is 'Gives a role what a level gives, and takes what is of a higher one if told to.';

revoke all on function seqctl._grant_level(name, text, boolean) from public;
