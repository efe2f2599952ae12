import Foundation
import HatchlingCheckpoint
import HatchlingNumerics
import HatchlingShards

/// A stream of tokens and what to call it in messages.
public struct TokenStream: Sendable {
  public let name: String
  public let tokens: [Int]

  public init(name: String, tokens: [Int]) { (self.name, self.tokens) = (name, tokens) }
}

/// A text that cannot be read.
public enum TextError: InputError, Equatable {
  case nothingToRead
  case twoSources
  case standardInputTwice
  /// A token array where bytes are needed.
  case noBytes(path: String)
  case empty(String)
  case unreadable(name: String, reason: String)
  case tokenTooLarge(name: String, token: Int, offset: Int, vocabulary: Int)

  public var description: String {
    switch self {
    case .nothingToRead: "there is nothing to read; give a text or a file"
    case .twoSources: "give either a text or files, not both"
    case .standardInputTwice: "standard input can be read once: '-' stands there twice"
    case .noBytes(let path): "'\(path)': training reads bytes; a token array can be stepped, not trained on"
    case .unreadable(let name, let reason): "cannot read \(name): \(reason)"
    case .empty(let name): "\(name) is empty; at least one byte is needed"
    case .tokenTooLarge(let name, let token, let offset, let vocabulary):
      "\(name): token \(token) at offset \(offset) is not below the model's alphabet size \(vocabulary)"
    }
  }
}

/// Text is bytes; a file ending in .npy is an array of token numbers; - is standard input.
public enum TextSource {
  /// One stream for a text, or one for each file. Of `ranks` the first has the standard input.
  /// - Throws: ``TextError``, `CheckpointError`.
  public static func streams(
    text: String?, files: [String] = [], vocabulary: Int, ranks: Ranks? = nil
  ) throws -> [TokenStream] {
    var streams: [TokenStream] = []
    if let text {
      guard files.isEmpty else { throw TextError.twoSources }
      streams = [TokenStream(name: "the text", tokens: text.anyBytes.map(Int.init))]
    } else {
      guard !files.isEmpty else { throw TextError.nothingToRead }
      streams = try files.map { try read($0, ranks: ranks) }
    }
    for stream in streams {
      guard !stream.tokens.isEmpty else { throw TextError.empty(stream.name) }
      if let offset = stream.tokens.firstIndex(where: { $0 < 0 || $0 >= vocabulary }) {
        throw TextError.tokenTooLarge(
          name: stream.name, token: stream.tokens[offset], offset: offset, vocabulary: vocabulary)
      }
    }
    return streams
  }

  /// The bytes of a file, or of standard input for `-`. - Throws: ``TextError/unreadable(name:reason:)``, `CheckpointError`.
  static func bytes(_ path: String, ranks: Ranks? = nil) throws -> [UInt8] {
    if path == "-", let ranks {
      let own = try ranks.together { ranks.speaks ? try bytes(path) : [] }
      return ranks.broadcast(own, from: 0)
    }
    guard path == "-" else {
      let file = try MappedFile(path: path)
      // The mapping goes away with `file`.
      return withExtendedLifetime(file) { Array(file.bytes) }
    }
    do {
      return Array(try FileHandle.standardInput.readToEnd() ?? Data())
    } catch {
      throw TextError.unreadable(name: "standard input", reason: "it is closed, or no text")
    }
  }

  /// A file's tokens, whatever the alphabet. - Throws: ``TextError``, `CheckpointError`.
  public static func read(_ path: String, ranks: Ranks? = nil) throws -> TokenStream {
    let name = path == "-" ? "standard input" : "'\(path)'"
    // Ranks pass the standard input on together, see ``bytes(_:ranks:)``.
    let tokens =
      path == "-"
      ? try bytes(path, ranks: ranks).map(Int.init)
      : try ranks.together {
        path.hasSuffix(".npy") ? try NumpyArray.read(path).tokens(path: path) : try bytes(path).map(Int.init)
      }
    return TokenStream(name: name, tokens: tokens)
  }
}
