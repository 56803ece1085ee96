create or replace trigger refuse_counter_truncate
    before truncate on seqctl.counter
    for each statement
    execute function seqctl._refuse_record_change(
        'SQ043',
        'the counters',
        'Numbers that were given would be given again.',
        'One that gave no number that is in use: seqctl.remove_counter().'
    );
