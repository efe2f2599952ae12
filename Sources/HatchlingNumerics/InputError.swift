/// An error that the user can mend: a bad file, text or option.
///
/// Each area declares its own enum and conforms it. The description is one line that says what is wrong, where
/// (file, key, offset, token) and what to do. The command line prints it and exits with status 2. Mistakes of our
/// own are preconditions, never an `InputError`.
public protocol InputError: Error, CustomStringConvertible, Sendable {}
