import HatchlingDynamics
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Which operations of the schedule are done fast, alone and together. Wherever a probe may look, a kernel ends.
extension CircuitExecutor {
  public var kernels: [Kernel<CircuitExecutor>] {
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    get {
      let parts = schedule.parts
      let exchange = parts.read + parts.write
      var kernels = [
        counted("receive", schedule.input) { executor, _, _ in executor.receiveToken() },
        counted("hear", parts.hear, [blocks(before: { $0.beginHearing() }, Self.hear)]),
        counted("activate, rotate", parts.turn, [blocks(Self.activate), blocks(Self.rotate)]),
        counted("read", parts.read, self.exchange(reads: true, writes: false)),
        counted("write", parts.write, self.exchange(reads: false, writes: true)),
        // Damping is lazy: a row is damped when it is next read or settled.
        counted("forget", parts.forget) { _, _, _ in },
        counted("read, write", exchange, self.exchange(reads: true, writes: true)),
        counted("listen", parts.listen, [blocks(before: { $0.hearAttention() }, Self.listen)]),
        counted("gate, encode", parts.gate, [blocks(Self.gateAndEncode, after: { $0.gatherEncoded() })]),
        counted(
          "listen, gate, encode", parts.listen + parts.gate,
          [
            blocks(
              before: { $0.hearAttention() }, Self.listenGateAndEncode, after: { $0.gatherEncoded() })
          ]),
        counted("update the field", parts.field) { executor, _, _ in executor.updateField() },
        counted(
          "read out", schedule.readout, [KernelPart(before: { executor, _, _ in executor.readOut() })],
          last: total),
      ]
      if layout.pairsStayInBlocks {
        kernels.append(
          counted(
            "activate, rotate, read, write", parts.hear + parts.turn + exchange,
            [
              openRows,
              blocks(
                before: { $0.beginHearing() }, Self.activateRotateReadAndWrite,
                after: { $0.finishExchange(reads: true, writes: true) }),
            ]))
      }
      return kernels
    }
  }

  /// Ranks have each counted what theirs did.
  private var total: KernelPart<CircuitExecutor>? {
    guard exchange != nil else { return nil }
    return KernelPart(before: { executor, _, activity in
      if let exchange = executor.exchange { activity = exchange.ranks.total(activity) }
    })
  }

  /// Rounds 4l and 4l + 1 begin: nobody else may hold the plastic weights of the layer meanwhile.
  private var openRows: KernelPart<CircuitExecutor> {
    KernelPart(before: { executor, layer, _ in executor.rows = executor.plastic[layer - 1].open() })
  }

  private func exchange(reads: Bool, writes: Bool) -> [KernelPart<CircuitExecutor>] {
    [
      openRows,
      blocks(
        { Self.exchange($0, $1, reads: reads, writes: writes) },
        after: { $0.finishExchange(reads: reads, writes: writes) }),
    ]
  }

  private func blocks(
    before: ((CircuitExecutor) -> Void)? = nil,
    _ work: @escaping (Streams<CircuitExecutor>, Int) -> Void, after: ((CircuitExecutor) -> Void)? = nil
  ) -> KernelPart<CircuitExecutor> {
    let first = layout.own.lowerBound
    return KernelPart(
      before: before.map { before in { executor, _, _ in before(executor) } },
      blocks: .init(
        count: layout.own.count, on: workers, first == 0 ? work : { work($0, first + $1) }),
      after: after.map { after in { executor, _, _ in after(executor) } })
  }
}

/// What kernels do in a block, for all streams.
extension CircuitExecutor {
  private static func hear(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.hear($0.layout.blocks[index], index) }
  }

  private static func activate(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.activateX($0.layout.blocks[index], index) }
  }

  private static func rotate(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.rotateAndCollect($0.layout.blocks[index], index) }
  }

  private static func exchange(
    _ streams: Streams<CircuitExecutor>, _ index: Int, reads: Bool, writes: Bool
  ) {
    streams.each { $0.exchangePlastic($0.layout.blocks[index], index, reads: reads, writes: writes) }
  }

  /// Every stream hears while D_x is in the cache; its plastic synapses are its own.
  private static func activateRotateReadAndWrite(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    hear(streams, index)
    streams.each {
      let block = $0.layout.blocks[index]
      $0.activateX(block, index)
      $0.rotateAndCollect(block, index)
      $0.exchangePlastic(block, index, reads: true, writes: true)
    }
  }

  private static func listen(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.listen($0.layout.blocks[index], index) }
  }

  private static func gateAndEncode(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    streams.each { $0.gateAndEncode($0.layout.blocks[index], index) }
  }

  private static func listenGateAndEncode(_ streams: Streams<CircuitExecutor>, _ index: Int) {
    listen(streams, index)
    streams.each { $0.gateAndEncode($0.layout.blocks[index], index) }
  }
}
