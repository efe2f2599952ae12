import HatchlingDynamics
import HatchlingModel

extension Ranks {
  /// What all ranks together did at a token.
  package func total(_ activity: StepActivity) -> StepActivity {
    let layers = activity.activeX.count
    let sums = sum(
      activity.activeX + activity.activeY + [activity.messages, activity.updates, activity.broadcasts])
    return StepActivity(
      activeX: Array(sums[..<layers]), activeY: Array(sums[layers..<2 * layers]), messages: sums[2 * layers],
      updates: sums[2 * layers + 1], broadcasts: sums[2 * layers + 2])
  }
}

/// Quantities of neurons that held a NaN or an infinity on some rank.
package struct Spoilt: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  package static let driveX = Spoilt(rawValue: 1)
  package static let x = Spoilt(rawValue: 2)
  package static let driveY = Spoilt(rawValue: 4)
}
