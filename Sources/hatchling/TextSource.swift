import Foundation
import HatchlingCheckpoint
import HatchlingNumerics

/// A stream of tokens and what to call it in messages.
struct TokenStream {
  let name: String
  let tokens: [Int]
}

/// A text that cannot be read.
enum TextError: InputError {
  case nothingToRead
  case twoSources
  case empty(String)
  case unreadable(name: String, reason: String)
  case tokenTooLarge(name: String, token: Int, offset: Int, vocabulary: Int)

  var description: String {
    switch self {
    case .nothingToRead: "there is nothing to read; give --text STRING, a FILE, or - for standard input"
    case .twoSources: "give either --text or FILEs, not both"
    case .unreadable(let name, let reason): "cannot read \(name): \(reason)"
    case .empty(let name): "\(name) is empty; at least one byte is needed"
    case .tokenTooLarge(let name, let token, let offset, let vocabulary):
      "\(name): token \(token) at offset \(offset) is not below the model's alphabet size \(vocabulary)"
    }
  }
}

/// Text is bytes; a file ending in .npy is an array of token numbers; - is standard input.
enum TextSource {
  static func streams(text: String?, files: [String], vocabulary: Int) throws -> [TokenStream] {
    var streams: [TokenStream] = []
    if let text {
      guard files.isEmpty else { throw TextError.twoSources }
      streams = [TokenStream(name: "the text", tokens: text.utf8.map(Int.init))]
    } else {
      guard !files.isEmpty else { throw TextError.nothingToRead }
      streams = try files.map(read)
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

  /// - Throws: ``TextError/unreadable(name:reason:)``.
  static func standardInput() throws -> [UInt8] {
    do {
      return Array(try FileHandle.standardInput.readToEnd() ?? Data())
    } catch {
      throw TextError.unreadable(name: "standard input", reason: "it is closed, or no text")
    }
  }

  static func read(_ path: String) throws -> TokenStream {
    if path == "-" {
      return TokenStream(name: "standard input", tokens: try standardInput().map(Int.init))
    }
    if path.hasSuffix(".npy") {
      return TokenStream(name: "'\(path)'", tokens: try NumpyArray.read(path).tokens(path: path))
    }
    let file = try MappedFile(path: path)
    // The mapping goes away with `file`.
    return withExtendedLifetime(file) { TokenStream(name: "'\(path)'", tokens: file.bytes.map(Int.init)) }
  }
}

/// A token as a person reads it: printable ASCII as itself, else an escape or its number.
func readable(_ token: Int) -> String {
  switch token {
  case 10: "\\n"
  case 13: "\\r"
  case 9: "\\t"
  case 32: "␣"
  case 33...126: String(UnicodeScalar(UInt8(token)))
  case 0...255: String(format: "x%02X", token)
  default: String(token)
  }
}
