#include "app/run/page.h"

namespace driftd::app {

const char* const kPage = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>driftd</title><style>
:root{color-scheme:light dark;--line:#8884;--bad:#c62828;--good:#2e7d32;--warn:#b26a00}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:75rem;padding:1rem 1.5rem}
h1{font-size:1.3rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:.85rem;opacity:.75}td.n{font-variant-numeric:tabular-nums}
.tag{padding:.05rem .45rem;border-radius:.6rem;color:#fff;font-size:.82rem}.fail,.firing,.critical{background:var(--bad)}
.ok,.ready{background:var(--good)}.warn,.pending,.no_verdict,.waiting{background:var(--warn)}
small{opacity:.7}.scroll{overflow-x:auto}a{color:inherit}
</style></head><body>
<h1>driftd <small id="state"></small></h1>
<h2>Streams</h2><div class="scroll"><table id="streams"></table></div>
<h2>Alerts</h2><div class="scroll"><table id="alerts"></table></div>
<h2>Newest findings <small>(not ok)</small></h2><div class="scroll"><table id="findings"></table></div>
<h2>References</h2><div class="scroll"><table id="references"></table></div>
<p><small><a href="/metrics">metrics</a> · <a href="/api/v1/streams">streams</a> · <a href="/api/v1/findings">findings</a> ·
<a href="/api/v1/alerts">alerts</a> · <a href="/api/v1/units">units</a></small></p>
<script>
const cell=(row,v,cls)=>{const td=row.insertCell();if(cls==='tag'){const s=document.createElement('span');s.className='tag '+v;s.textContent=v;td.append(s)}else{td.textContent=v??'';if(cls)td.className=cls}};
const fill=(id,heads,items,write,none)=>{const t=document.getElementById(id);t.textContent='';const h=t.createTHead().insertRow();
for(const x of heads){const th=document.createElement('th');th.textContent=x;h.append(th)}const b=t.createTBody();
if(!items.length){const r=b.insertRow();cell(r,none);r.cells[0].colSpan=heads.length}for(const i of items)write(b.insertRow(),i)};
const seg=s=>s.value?s.by+' = '+s.value:s.by;const num=v=>v===undefined?'':Math.abs(v)>=1e4||(v!==0&&Math.abs(v)<1e-3)?v.toExponential(3):+v.toPrecision(5);
const get=async p=>{const r=await fetch(p);if(!r.ok)throw new Error(p+': '+r.status);return r.json()};
async function load(){try{
const [s,a,f,r]=await Promise.all(['streams','alerts','findings?limit=50','references'].map(p=>get('/api/v1/'+p)));
fill('streams',['stream','source','state','accepted','rejected','late','complete until'],s.streams,(row,x)=>{cell(row,x.name);cell(row,x.source);cell(row,x.ready?'ready':'waiting','tag');
cell(row,x.accepted.toLocaleString(),'n');cell(row,x.rejected.toLocaleString(),'n');cell(row,x.late.toLocaleString(),'n');cell(row,x.ready?x.complete_until:x.detail)},'no stream');
fill('alerts',['state','severity','stream','segment','kind','since','what'],a.alerts,(row,x)=>{cell(row,x.state,'tag');cell(row,x.severity);cell(row,x.stream);cell(row,seg(x.segment));cell(row,x.kind);cell(row,x.starts_at);cell(row,x.summary)},'none: all is well');
fill('findings',['verdict','window end','stream','segment','check','field','reason','value','threshold','n'],f.findings,(row,x)=>{cell(row,x.verdict,'tag');cell(row,x.window?x.window.end:x.record.time);cell(row,x.stream);cell(row,seg(x.segment));
cell(row,x.check);cell(row,x.field);cell(row,x.reason);cell(row,num(x.value),'n');cell(row,num(x.threshold),'n');cell(row,x.n,'n')},'none yet');
fill('references',['reference','version','tags','aliases','rows','built'],r.references,(row,x)=>{cell(row,x.name);cell(row,x.version,'n');cell(row,x.tags.join(' '));cell(row,x.aliases.join(' '));cell(row,x.rows.toLocaleString(),'n');cell(row,x.created_at)},'none yet: driftd reference build');
document.getElementById('state').textContent='updated '+new Date().toLocaleTimeString()}catch(e){document.getElementById('state').textContent='not reachable: '+e.message}}
load();setInterval(load,3000);
</script></body></html>
)html";

}  // namespace driftd::app
