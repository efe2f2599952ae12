set terminal svg size 900,460 font 'sans,12' background rgb 'white'
set output 'spikes-shipped.svg'
set datafile separator ','
set logscale xy
set format y '10^{%L}'
set ylabel 'KL from the exact network (nats per token)'
set grid xtics ytics linetype 1 linewidth 1 linecolor rgb '#dddddd'
kl(code) = "< grep '^".code.":' spikes-shipped.csv"
set multiplot layout 1,2
set key above maxrows 3
set xlabel 'sub-steps of a phase'
plot kl('rate') using 2:7:8:9 with yerrorlines pt 7 ps 0.6 lc rgb '#0072B2' title 'rate:K',   kl('stochastic') using 2:7:8:9 with yerrorlines pt 5 ps 0.6 lc rgb '#D55E00' title 'stochastic:K',   kl('binary') using 2:7:8:9 with yerrorlines pt 9 ps 0.6 lc rgb '#009E73' title 'binary:B',   [4:256] 20 * x**-2 with lines dt 2 lc rgb '#666666' title 'slope −2', [8:256] 20 * x**-1 with lines dt 3 lc rgb '#666666' title 'slope −1'
set xlabel 'synaptic events per token, with Hebb'
unset ylabel
set format x '10^{%L}'
plot kl('rate') using ($12+$13):7 with linespoints pt 7 ps 0.6 lc rgb '#0072B2' title 'rate:K',   kl('stochastic') using ($12+$13):7 with linespoints pt 5 ps 0.6 lc rgb '#D55E00' title 'stochastic:K',   kl('binary') using ($12+$13):7 with linespoints pt 9 ps 0.6 lc rgb '#009E73' title 'binary:B',   kl('few') using ($12+$13):7 with points pt 11 ps 0.9 lc rgb '#CC79A7' title 'few:M:T'
unset multiplot
