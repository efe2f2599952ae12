import HatchlingNumerics

/// What a token is in milliseconds, since files of neuroscience know no tokens. Written into every file.
public struct TimeConvention: Sendable, Hashable, Codable {
  /// Whether the layers of a token follow one another inside it, or have its time all together.
  public enum Layers: String, Sendable, Hashable, CaseIterable, Codable { case successive, simultaneous }

  public var millisecondsPerToken: Double
  public var layers: Layers

  /// - Throws: ``ActivityError/outOfRange(_:value:allowed:)`` unless a token takes a positive time.
  public init(millisecondsPerToken: Double = 1, layers: Layers = .successive) throws(ActivityError) {
    guard millisecondsPerToken > 0, millisecondsPerToken.isFinite else {
      throw .outOfRange(
        .millisecondsPerToken, value: "\(millisecondsPerToken)", allowed: "a positive number is needed")
    }
    (self.millisecondsPerToken, self.layers) = (millisecondsPerToken, layers)
  }

  private init() { (millisecondsPerToken, layers) = (1, .successive) }
  /// One millisecond per token, layers one after the other in it.
  public static let standard = TimeConvention()

  /// When layer 1 … `count` computes at a token, in milliseconds since the recording began.
  public func time(token: Int, layer: Int, of count: Int) -> Double {
    let start = Double(token)
    return layers == .successive
      ? (start + Double(layer - 1) / Double(count)) * millisecondsPerToken : start * millisecondsPerToken
  }

  public var description: String {
    let begin =
      "token t, counted from the beginning of the recording, is read at t * \(millisecondsPerToken) ms"
    return layers == .successive
      ? begin + "; layer l of L computes (l - 1) / L of a token later" : begin + ", in all layers"
  }
}
