//! Pure rules: identities, lifecycle, file plan, configuration rendering, activation codes.
