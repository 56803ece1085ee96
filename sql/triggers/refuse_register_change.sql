-- Always: session_replication_role = replica does not switch it off.
create or replace trigger refuse_register_change
    before update or delete or truncate on seqctl.voided_range
    for each statement
    execute function seqctl._refuse_record_change(
        'SQ029',
        'the void register',
        'What was recorded about missing and annulled numbers stays as it was recorded.',
        'New entries are made with seqctl.void().'
    );

alter table seqctl.voided_range enable always trigger refuse_register_change;
