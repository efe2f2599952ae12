/// What the gains of a direct graph go through.
public enum Gains: String, CaseIterable, Codable, Sendable {
  /// The d hubs, which the readout hears too: g(w) = sqrt(‖F w‖² / d + ε).
  case hubs
  /// The particles that are normalised themselves: g(w) = sqrt(κ² ‖w‖² / N + ε), a pool per normaliser, and no hubs at all.
  case local
}
