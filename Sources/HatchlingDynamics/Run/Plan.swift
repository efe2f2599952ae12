import HatchlingModel

/// Some operations in a row, each run of them that a kernel covers replaced by that kernel.
///
/// Not generic: what is done at every token is a list of plain calls.
package struct Plan {
  typealias Action = (_ layer: Int, _ activity: inout StepActivity) -> Void

  private let actions: [Action]
  /// How many operations are done after each action.
  private let done: [Int]
  /// What is done, for reports.
  let names: [String]

  package init<Owner: RoundPerformer>(
    _ operations: [RoundOperation], on owner: Owner, kernels: [Kernel<Owner>], stops: Set<Int> = []
  ) {
    let steps = Self.cover(operations, with: kernels, stops: stops)
    actions = steps.map { kernel in
      let parts = kernel.actions(on: owner)
      return parts.count == 1 ? parts[0] : { layer, activity in for part in parts { part(layer, &activity) } }
    }
    names = steps.map(\.name)
    done = steps.reduce(into: []) { $0.append(($0.last ?? 0) + $1.operations.count) }
  }

  /// The longest kernel first, at every place; no kernel reaches across a place of `stops`, where somebody looks. What none covers is done plainly.
  static func cover<Owner: RoundPerformer>(
    _ operations: [RoundOperation], with kernels: [Kernel<Owner>], stops: Set<Int> = []
  ) -> [Kernel<Owner>] {
    var steps: [Kernel<Owner>] = []
    var place = 0
    while place < operations.count {
      let fitting = kernels.filter { kernel in
        let end = place + kernel.operations.count
        return end > place && end <= operations.count && Array(operations[place..<end]) == kernel.operations
          && !stops.contains { $0 > place && $0 < end }
      }
      let operation = operations[place]
      let next =
        fitting.max { $0.operations.count < $1.operations.count }
        ?? Kernel("plain: \(operation.summary)", [operation]) { $0.perform(operation, layer: $1, &$2) }
      place += next.operations.count
      steps.append(next)
    }
    return steps
  }

  /// Does everything.
  package func run(layer: Int, _ activity: inout StepActivity) {
    for action in actions { action(layer, &activity) }
  }

  /// Does everything; `look` is called with the number of operations done, after each action.
  func run(layer: Int, _ activity: inout StepActivity, look: (Int) -> Void) {
    for (action, done) in zip(actions, done) {
      action(layer, &activity)
      look(done)
    }
  }
}
