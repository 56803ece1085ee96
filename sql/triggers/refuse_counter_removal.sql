-- Not always: a subscriber of logical replication, where a checkout's new counter row comes after the deletion of the old one, must not fail.
-- There is none for UPDATE: every number would pay for it. verify finds a counter that was lowered by hand, where that can be known.
create or replace trigger refuse_counter_removal
    after delete on seqctl.counter
    for each row
    execute function seqctl._refuse_counter_removal();
