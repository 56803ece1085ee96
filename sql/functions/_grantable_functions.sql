-- The levels of access, in one place. A level includes those before it.
create or replace function seqctl._grantable_functions()
returns table (level text, signature text)
language sql
immutable
as $function$
    values
        ('read', 'seqctl.version()'),
        ('read', 'seqctl.await_durable()'),
        ('read', 'seqctl.group_key(text[])'),
        ('read', 'seqctl.peek(text, text, date)'),
        ('read', 'seqctl._attachment_functions(integer)'),
        ('read', 'seqctl._attachment_triggers(integer)'),
        ('read', 'seqctl._group_expression(text, regclass, name[])'),
        ('read', 'seqctl._date_expression(text, oid, text)'),
        ('read', 'seqctl._period_expression(text, text, text)'),
        ('read', 'seqctl._period_label(text, text, date)'),
        ('read', 'seqctl._base_type(oid)'),
        ('read', 'seqctl._document_number_expression(text, text, text, text, text)'),
        ('read', 'seqctl.void_reason(text, text, date, bigint)'),
        ('read', 'seqctl._is_closed(integer, text, date)'),
        ('read', 'seqctl._near_limit(integer, numeric)'),
        ('read', 'seqctl._chain_content(text, seqctl.attachment)'),
        ('read', 'seqctl._chain_value(text, oid)'),
        ('read', 'seqctl._chain_start(text, text, date)'),
        ('read', 'seqctl._link_hash(bytea, bytea, bigint, bigint, text, date, integer, bytea, bigint, timestamptz, name)'),
        ('issue', 'seqctl.next_number(text, text, date)'),
        ('issue', 'seqctl.allocate(text, text, date, integer)'),
        ('issue', 'seqctl.checkout(text, text, text, date, interval)'),
        ('issue', 'seqctl.finalize(text, text, text, bigint)'),
        ('issue', 'seqctl.release(text, text, bigint)'),
        ('admin', 'seqctl.create_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, boolean)'),
        ('admin', 'seqctl.alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean)'),
        ('admin', 'seqctl._alter_series(text, text, text, text, text, bigint, bigint, integer, text, text, text, text, text[], boolean, oid[])'),
        ('admin', 'seqctl.drop_series(text)'),
        ('admin', 'seqctl.close_period(text, date, text)'),
        ('admin', 'seqctl.reopen_period(text, date, text, text)'),
        ('admin', 'seqctl.void(text, text, date, bigint, bigint, text)'),
        ('issue', 'seqctl.number_pending(regclass, name, bigint)'),
        ('issue', 'seqctl._number_pending(regclass, name, bigint, text)'),
        ('admin', 'seqctl.attach(regclass, text, name, name, name[], name, text, text, text, boolean, name[])'),
        ('admin', 'seqctl.adopt(regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer)'),
        ('admin', 'seqctl._adopt(regclass, text, name, name, name[], name, text, text, text, boolean, name[], boolean, text, integer, text)'),
        ('admin', 'seqctl._adoption_queries(seqctl.attachment)'),
        ('admin', 'seqctl._attached_numbers(integer, text)'),
        ('admin', 'seqctl._finding_text(text, bigint, bigint, text, bigint, text)'),
        ('admin', 'seqctl._lock_adoption(text)'),
        ('admin', 'seqctl._record_adoption(integer, text)'),
        ('admin', 'seqctl._lock_target(regclass, boolean)'),
        ('admin', 'seqctl._attach(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], text)'),
        ('admin', 'seqctl._plan_attachment(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[])'),
        ('admin', 'seqctl._parse_condition(regclass, text)'),
        ('admin', 'seqctl._register_attachment(regclass, text, name, name, name[], name, regclass, text, text, boolean, name[], name)'),
        ('admin', 'seqctl._find_write_function(seqctl.attachment)'),
        ('admin', 'seqctl._write_signature(text)'),
        ('admin', 'seqctl._refuse_given()'),
        ('admin', 'seqctl._protect()'),
        ('admin', 'seqctl._protect_all()'),
        ('admin', 'seqctl._seal_attachment(integer, name)'),
        ('admin', 'seqctl.detach(regclass, name)'),
        ('admin', 'seqctl._refuse_unattached(regclass, name)'),
        ('admin', 'seqctl._unregister_attachment(integer)'),
        ('admin', 'seqctl.grant_access(name, text)'),
        ('admin', 'seqctl.revoke_access(name)')
$function$;

comment on function seqctl._grantable_functions() is 'Which functions each level of access may call.';

revoke all on function seqctl._grantable_functions() from public;
