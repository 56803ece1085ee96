-- Always: session_replication_role = replica does not switch it off.
create or replace trigger refuse_correction_change
    before update or delete or truncate on seqctl.counter_correction
    for each statement
    execute function seqctl._refuse_record_change(
        'SQ043',
        'the record of corrected counters',
        'Who lowered or removed a counter, and why, stays as it was recorded.',
        'A counter that was lowered by mistake goes up again with the numbers that it gives.'
    );

alter table seqctl.counter_correction enable always trigger refuse_correction_change;
