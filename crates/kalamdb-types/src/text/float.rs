//! Floats as PostgreSQL writes them: the shortest digits that read back as the same number, `1`, `1e+21`, `1e-05`.

/// Appends a 64-bit float.
pub(super) fn write_f64(out: &mut String, value: f64) {
    if value.is_finite() {
        write_digits(out, ryu::Buffer::new().format_finite(value), 15);
    } else {
        write_special(out, value);
    }
}

/// Appends a 32-bit float.
pub(super) fn write_f32(out: &mut String, value: f32) {
    if value.is_finite() {
        write_digits(out, ryu::Buffer::new().format_finite(value), 6);
    } else {
        write_special(out, value.into());
    }
}

fn write_special(out: &mut String, value: f64) {
    out.push_str(if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    });
}

/// Rewrites ryu's form (`1.0`, `1e21`, `1.5e-7`); from `10^max_exponent` on, and below `10^-4`, with an exponent.
fn write_digits(out: &mut String, shortest: &str, max_exponent: i64) {
    let unsigned = shortest.strip_prefix('-').unwrap_or(shortest);
    if unsigned.len() < shortest.len() {
        out.push('-');
    }
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let joined: String = [integer, fraction].concat();
    let digits = joined.trim_start_matches('0');
    let n_leading = joined.len() - digits.len();
    let digits = digits.trim_end_matches('0');
    // The exponent of the first digit. ryu's own exponent has at most three digits.
    let exponent = exponent.parse::<i64>().unwrap_or(0) + integer.len() as i64 - n_leading as i64 - 1;
    let Some((first, rest)) = digits.split_at_checked(1) else {
        out.push('0');
        return;
    };
    let zeros = |n: i64| std::iter::repeat_n('0', usize::try_from(n).unwrap_or(0));
    if !(-4..max_exponent).contains(&exponent) {
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        out.push_str(if exponent < 0 { "e-" } else { "e+" });
        if exponent.abs() < 10 {
            out.push('0');
        }
        out.push_str(itoa::Buffer::new().format(exponent.abs()));
    } else if exponent < 0 {
        out.push_str("0.");
        out.extend(zeros(-exponent - 1));
        out.push_str(digits);
    } else {
        let n_integer = usize::try_from(exponent + 1).unwrap_or(0);
        match digits.split_at_checked(n_integer) {
            Some((integer, fraction)) => {
                out.push_str(integer);
                if !fraction.is_empty() {
                    out.push('.');
                    out.push_str(fraction);
                }
            }
            None => {
                out.push_str(digits);
                out.extend(zeros((n_integer - digits.len()) as i64));
            }
        }
    }
}
