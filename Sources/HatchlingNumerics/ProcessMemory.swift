import Foundation

/// Memory of this process, as the operating system counts it.
public enum ProcessMemory {
  /// Bytes of anonymous memory in use now; nil where the system does not say.
  public static var anonymous: Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }
}
