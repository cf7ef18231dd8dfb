//! The speech band of a signal at a low sampling rate, by one long Fourier transform.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// Samples a second of everything [`speech_band`] returns.
pub(crate) const RATE: u32 = 16_000;

/// Where speech has its power and a speech codec keeps the waveform; above, codecs substitute noise, in Hz.
const BAND: std::ops::RangeInclusive<f32> = 250.0..=3_600.0;

/// Returns `pcm`, sampled at `sample_rate` Hz, limited to the speech band, at [`RATE`] samples a second.
pub(crate) fn speech_band(pcm: &[f32], sample_rate: u32) -> Vec<f32> {
    if pcm.is_empty() || sample_rate == 0 {
        return Vec::new();
    }
    // Both transforms are to span the same time: `unit_in` samples last as long as `unit_out`.
    // A power of two of them keeps the transforms quick; a tenth of a second of silence keeps the ends apart.
    let common = gcd(sample_rate, RATE);
    let (unit_in, unit_out) = ((sample_rate / common) as usize, (RATE / common) as usize);
    let padded = pcm.len() + sample_rate as usize / 10;
    let units = padded.div_ceil(unit_in).next_power_of_two().max(2);

    let mut planner = RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(units * unit_in);
    let mut time = forward.make_input_vec();
    time[..pcm.len()].copy_from_slice(pcm);
    let mut spectrum = forward.make_output_vec();
    transform(forward.process(&mut time, &mut spectrum));

    let inverse = planner.plan_fft_inverse(units * unit_out);
    let mut kept = inverse.make_input_vec();
    let hz_per_bin = sample_rate as f32 / (units * unit_in) as f32;
    for (bin, (to, from)) in kept.iter_mut().zip(&spectrum).enumerate() {
        if BAND.contains(&(bin as f32 * hz_per_bin)) {
            *to = *from / (units * unit_in) as f32;
        }
    }
    let mut out = inverse.make_output_vec();
    transform(inverse.process(&mut kept, &mut out));
    out.truncate((pcm.len() as u64 * u64::from(RATE) / u64::from(sample_rate)) as usize);
    out
}

/// Returns for every shift `s` in `0..=heard.len()` the sum of `clip[i] * heard[i + s]`, `heard` counting as silent beyond its end.
pub(crate) fn cross_correlation(clip: &[f32], heard: &[f32]) -> Vec<f32> {
    let length = (clip.len() + heard.len()).next_power_of_two().max(2);
    let mut planner = RealFftPlanner::<f32>::new();
    let forward = planner.plan_fft_forward(length);
    let spectrum_of = |signal: &[f32]| -> Vec<Complex<f32>> {
        let mut time = forward.make_input_vec();
        time[..signal.len()].copy_from_slice(signal);
        let mut spectrum = forward.make_output_vec();
        transform(forward.process(&mut time, &mut spectrum));
        spectrum
    };
    let of_clip = spectrum_of(clip);
    let mut product = spectrum_of(heard);
    for (heard, clip) in product.iter_mut().zip(&of_clip) {
        *heard *= clip.conj() / length as f32;
    }
    // The product of two real signals' spectra is real at both ends but for rounding, and the inverse insists on it.
    if let Some(first) = product.first_mut() {
        first.im = 0.0;
    }
    if let Some(last) = product.last_mut() {
        last.im = 0.0;
    }
    let inverse = planner.plan_fft_inverse(length);
    let mut out = inverse.make_output_vec();
    transform(inverse.process(&mut product, &mut out));
    out.truncate(heard.len() + 1);
    out
}

/// Takes the result of a transform whose buffers were made by its own plan.
fn transform(result: Result<(), realfft::FftError>) {
    result
        .expect("buffers made by the plan have its length, and both ends of the spectrum are real");
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, rate: u32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|i| (i as f32 * hz * std::f32::consts::TAU / rate as f32).sin())
            .collect()
    }

    fn power(signal: &[f32]) -> f32 {
        signal.iter().map(|s| s * s).sum::<f32>() / signal.len() as f32
    }

    #[test]
    fn keeps_speech_frequencies_at_every_sampling_rate() {
        for rate in [8_000, 16_000, 44_100, 48_000] {
            let out = speech_band(&tone(1_000.0, rate, rate as usize), rate);
            assert_eq!(out.len(), RATE as usize);
            let middle = &out[2_000..14_000];
            assert!(
                (power(middle) - 0.5).abs() < 0.01,
                "{rate}: {}",
                power(middle)
            );
        }
    }

    #[test]
    fn removes_hum_and_hiss() {
        for hz in [50.0, 6_000.0, 12_000.0] {
            let out = speech_band(&tone(hz, 48_000, 48_000), 48_000);
            assert!(power(&out[2_000..14_000]) < 0.001, "{hz} Hz left");
        }
    }

    #[test]
    fn cross_correlation_peaks_where_the_clip_lies() {
        let clip: Vec<f32> = tone(300.0, 16_000, 777)
            .iter()
            .enumerate()
            .map(|(i, s)| s * (i as f32 * 0.37).cos())
            .collect();
        let mut heard = vec![0.0; 5_000];
        heard[1_234..1_234 + clip.len()].copy_from_slice(&clip);
        let found = cross_correlation(&clip, &heard);
        let peak = found
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap()
            .0;
        assert_eq!(peak, 1_234);
    }
}
