import HatchlingCheckpoint
import HatchlingNumerics

/// The task of §6.4: a warm-up that is always the same, then a random word that is shown again and again.
///
/// What is shown first can only be memorised; what is shown again can be foretold from the text, and from nothing else.
public struct MemorisingTask: Sendable, Equatable {
  /// Letters of the warm-up, `abc…` from the beginning of the alphabet.
  public var warmUp = 13
  /// Letters of a word, each drawn evenly.
  public var word = 8
  public var showings = 8
  /// Letters of the alphabet, from `a`.
  public var letters = 26
  /// The control: every showing is another word, so nothing can be foretold.
  public var isFresh = false

  public init() {}

  /// Letters of an episode, at most.
  private static var longest: Int { 1 << 24 }

  /// Letters of an episode.
  public var period: Int { warmUp + word * showings }

  /// - Throws: ``ActivityStudyError/outOfRange(_:value:allowed:)``.
  public func check(episodes: Int = 1) throws(ActivityStudyError) {
    let limits: [(ActivityStudySetting, Int, ClosedRange<Int>)] = [
      (.warmUp, warmUp, 0...1_000_000), (.word, word, 1...1_000_000), (.showings, showings, 2...1_000_000),
      (.letters, letters, 2...26), (.episodes, episodes, 1...100_000_000),
    ]
    for (setting, value, range) in limits where !range.contains(value) {
      throw .outOfRange(
        setting, value: value, allowed: "\(range.lowerBound) to \(range.upperBound) are possible")
    }
    guard period <= Self.longest else {
      throw .outOfRange(
        .showings, value: showings, allowed: "an episode has at most \(Self.longest) letters, not \(period)")
    }
  }

  /// The letters of one episode.
  func episode(_ random: inout SeededRandom) -> [UInt8] {
    func drawn(_ random: inout SeededRandom) -> [UInt8] {
      (0..<word).map { _ in UInt8(97 + Int.random(in: 0..<letters, using: &random)) }
    }
    var text = (0..<warmUp).map { UInt8(97 + $0 % letters) }
    var shown = drawn(&random)
    for showing in 0..<showings {
      if showing > 0 && isFresh { shown = drawn(&random) }
      text += shown
    }
    return text
  }

  /// Writes episodes, one after another. - Returns: bytes.
  /// - Throws: ``ActivityStudyError``, `CheckpointError`.
  public func write(episodes: Int, seed: UInt64, to out: String) throws -> Int {
    try check(episodes: episodes)
    try OutputPaths.check([out])
    let file = try AtomicFile(path: out)
    var random = SeededRandom(seed: seed)
    for _ in 0..<episodes { try file.write(episode(&random)) }
    try file.commit()
    return episodes * period
  }

  /// What a token of an episode is: the warm-up is 0, the k-th showing k.
  func showing(at place: Int) -> Int { place < warmUp ? 0 : 1 + (place - warmUp) / word }

  /// `warm-up`, `showing 1`, …
  static func name(ofShowing showing: Int) -> String { showing == 0 ? "warm-up" : "showing \(showing)" }
}
