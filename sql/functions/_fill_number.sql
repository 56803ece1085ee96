create or replace function seqctl._fill_number(
    p_template text,
    p_number bigint,
    p_width integer
)
returns text
language sql
immutable
as $function$
    select replace(p_template, E'\x01', lpad(p_number::text, greatest(p_width, length(p_number::text)), '0'))
$function$;

comment on function seqctl._fill_number(text, bigint, integer) is 'A document number from a template with the number left open (\x01).';

revoke all on function seqctl._fill_number(text, bigint, integer) from public;
