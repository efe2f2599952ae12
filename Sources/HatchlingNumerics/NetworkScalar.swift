import RealModule

/// A number that networks are made of: `Float` or `Double`, no other type.
///
/// Everything that computes is generic over it, so that one implementation serves fast float32 runs and
/// float64 runs used as oracles.
public protocol NetworkScalar: Real, BinaryFloatingPoint, SIMDScalar, BitwiseCopyable, Sendable, Codable
where Magnitude == Self {
  /// The name used on the command line and in saved states: `float` or `double`.
  static var precisionName: String { get }
}

extension Float: NetworkScalar {
  public static var precisionName: String { "float" }
}

extension Double: NetworkScalar {
  public static var precisionName: String { "double" }
}
