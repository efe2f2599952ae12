import HatchlingModel

/// Some operations in a row, each run of them that a kernel covers replaced by that kernel.
package struct Plan<Owner: RoundPerformer> {
  enum Step {
    case kernel(Kernel<Owner>)
    case plain(RoundOperation)
  }

  /// The steps, and how many operations are done after each.
  let steps: [(step: Step, done: Int)]

  /// The longest kernel first, at every place; no kernel reaches across a place of `stops`, where somebody looks.
  package init(_ operations: [RoundOperation], kernels: [Kernel<Owner>], stops: Set<Int> = []) {
    var steps: [(step: Step, done: Int)] = []
    var place = 0
    while place < operations.count {
      let fitting = kernels.filter { kernel in
        let end = place + kernel.operations.count
        return end > place && end <= operations.count && Array(operations[place..<end]) == kernel.operations
          && !stops.contains { $0 > place && $0 < end }
      }
      if let kernel = fitting.max(by: { $0.operations.count < $1.operations.count }) {
        place += kernel.operations.count
        steps.append((.kernel(kernel), place))
      } else {
        place += 1
        steps.append((.plain(operations[place - 1]), place))
      }
    }
    self.steps = steps
  }

  /// Does everything; `afterOperations` is called with the number of operations done.
  package func run(
    on executor: Owner, layer: Int, _ activity: inout StepActivity, afterOperations: ((Int) -> Void)? = nil
  ) {
    for (step, done) in steps {
      switch step {
      case .kernel(let kernel): kernel.body(executor, layer, &activity)
      case .plain(let operation): executor.perform(operation, layer: layer, &activity)
      }
      afterOperations?(done)
    }
  }

  /// The names of what is done, for reports.
  var names: [String] {
    steps.map {
      switch $0.step {
      case .kernel(let kernel): kernel.name
      case .plain(let operation): "plain: \(operation.summary)"
      }
    }
  }
}
