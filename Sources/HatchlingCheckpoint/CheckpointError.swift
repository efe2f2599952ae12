import Foundation
import HatchlingNumerics

/// A file that cannot be read or written as what it should be.
public enum CheckpointError: InputError, Equatable {
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  /// `place` names the key, entry or byte offset.
  case damaged(path: String, place: String, problem: String)
  /// A pickle that was made to do harm.
  case forbidden(path: String, what: String)
  case unsupported(path: String, what: String)

  /// Why the last call of the system failed.
  static var lastFault: String { String(cString: strerror(errno)) }

  public var description: String { message.escaped }

  private var message: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read '\(path)': \(reason)"
    case .unwritable(let path, let reason): "cannot write '\(path)': \(reason)"
    case .damaged(let path, let place, let problem):
      "'\(path)' is damaged at \(place): \(problem); get the file again"
    case .forbidden(let path, let what):
      "'\(path)' is refused: its pickle wants to call '\(what)', which no network needs; do not load it elsewhere"
    case .unsupported(let path, let what): "'\(path)' cannot be used: \(what)"
    }
  }
}
