const D="snom_buttons",q=i=>Ze(i,({entry_type:e})=>e===null),mt=i=>Ze(i,({entry_type:e,via_device_id:t})=>e!==null&&!!t),yt=(i,e)=>Object.values(i.entities).filter(t=>t.device_id===e&&!t.hidden).map(({entity_id:t})=>t).sort((t,s)=>ke(t).localeCompare(ke(s))),ke=i=>i.slice(i.indexOf(".")+1),Ze=(i,e)=>Object.values(i.devices).filter(t=>t.disabled_by===null&&t.identifiers.some(([s])=>s===D)&&e(t)).sort((t,s)=>Ae(t).localeCompare(Ae(s),i.language,{numeric:!0})),Ae=i=>i.name_by_user??i.name??"",pe=async(i,e)=>{const{translation_domain:t,translation_key:s}=e,n=e.message??String(e);return!t||!s?n:(await i.loadBackendTranslation("exceptions",t))(`component.${t}.exceptions.${s}.message`,e.translation_placeholders)||n},wt={"arrange.cancel":"Abbrechen","arrange.changed":"Die Taste wurde inzwischen geändert. Das sind ihre jetzigen Einstellungen; nichts wurde gespeichert.","arrange.close":"Schließen","arrange.code_stored":"Ein Code ist gespeichert. Er bleibt, solange dieses Feld leer ist und der Druck auf dieselbe Entität wirkt.","arrange.done":"Fertig","arrange.failed":"Das Formular von Home Assistant kann nicht geladen werden. Lade die Seite neu.","arrange.forget_code":"Code vergessen","arrange.hint":"Klicke eine Taste an, um zu sagen, wofür sie ist. Ziehe sie auf eine andere, um beide zu tauschen.","arrange.key":"Taste {key} belegen: {name}","arrange.line":"Diese Taste gehört zur geteilten Leitung {line}. Sie wird mit der Leitung geändert, auf der Seite der Integration.","arrange.more":"Mehr","arrange.name":"Taste {key}","arrange.save":"Speichern","arrange.saved":"Taste {key} ist gespeichert.","arrange.start":"Tasten belegen","arrange.swap":"Tauschen","arrange.swap_with":"Tauschen mit","arrange.swapped":"Tasten {key} und {other} sind getauscht.","arrange.waiting":"Warte auf die Einstellungen…","card.description":"Ein Tischtelefon mit seinen Tasten und Lampen","card.failed":"Dieses Telefon kann nicht gezeigt werden: {message}","card.name":"Tischtelefon","card.no_device":"Wähle in den Einstellungen dieser Karte ein Telefon.","card.refused":"Du darfst dieses Telefon nicht sehen.","card.reload":"Diese Seite hat eine andere Version der Karte als der Server.","card.reload_now":"Seite neu laden","card.removed":"Dieses Telefon wurde entfernt.","card.stopped":"Der Server dieses Telefons ist angehalten.","card.unknown":"Dieses Telefon ist nicht bekannt.","card.waiting":"Warten auf das Telefon …","color.blue":"blau","color.green":"grün","color.orange":"orange","color.pink":"pink","color.red":"rot","color.turquoise":"türkis","color.violet":"violett","color.white":"weiß","color.yellow":"gelb","editor.device_id":"Telefon","editor.no_boolean":"show_name muss true oder false sein.","editor.no_text":"device_id muss die ID eines Geräts sein.","editor.show_name":"Namen zeigen","editor.show_name_help":"Aus, wenn eine Überschrift über der Karte das Telefon nennt.","example.alarm":"Alarm","example.door":"Haustür","example.garage":"Garage","example.heating":"Heizung","example.light":"Küche","example.mail":"Post","example.music":"Musik","example.name":"Beispiel","example.night":"Gute Nacht","key.caller":"Anruf: {caller}","key.confirming":"Erneut drücken","key.held":"gehalten von {phone}","key.lacking":"noch nicht auf dem Telefon","key.name":"Taste {key}","key.not_pressable":"kann nicht gedrückt werden","key.waiting":"{new} neue, {old} alte Nachrichten","lamp.dark":"Lampe aus","lamp.fast":"Lampe blinkt schnell, {color}","lamp.medium":"Lampe blinkt, {color}","lamp.slow":"Lampe blinkt langsam, {color}","lamp.steady":"Lampe an, {color}","panel.empty":"Es ist kein Telefon eingerichtet.","panel.title":"Telefone","phone.empty":"Es ist keine Taste eingerichtet.","phone.generic":"Wo diese Tasten liegen, ist nicht bekannt. Sie sind der Reihe nach gezeichnet.","phone.keys":"Tasten des Telefons","phone.messages":"{new} neue, {old} alte Nachrichten","phone.module":"Erweiterungsmodul {model}","phone.more":"Weitere Tasten","phone.no_press":"Du darfst dieses Telefon sehen, aber seine Tasten nicht drücken.","phone.page":"Seite {page}","phone.page_lit":"Seite {page}: {lamps} an","phone.pages":"Seiten","status.absent":"Das Telefon ist nicht angemeldet","status.behind":"Das Telefon ist noch nicht auf dem Stand","status.in_sync":"Das Telefon ist auf dem Stand","status.lost":"Keine Verbindung zu Home Assistant","status.refusing":"Das Telefon lehnt ab, was seine Tasten zeigen sollen","status.silent":"Das Telefon antwortet nicht","status.stopped":"Der Server dieses Telefons ist angehalten","strategy.description":"Alle Tischtelefone mit ihren Tasten und Lampen, und die gemeinsamen Leitungen","strategy.empty":"Es ist kein Telefon eingerichtet. [Füge eines hinzu](/config/integrations/integration/snom_buttons) auf der Seite der Integration.","strategy.lines":"Gemeinsame Leitungen"},Je={"arrange.cancel":"Cancel","arrange.changed":"The key was changed meanwhile. These are its settings now; nothing was saved.","arrange.close":"Close","arrange.code_stored":"A code is stored. It stays while this is empty and the press acts on the same entity.","arrange.done":"Done","arrange.failed":"The form of Home Assistant cannot be loaded. Reload the page.","arrange.forget_code":"Forget the code","arrange.hint":"Click a key to say what it is for. Drag it onto another one to swap the two.","arrange.key":"Arrange key {key}: {name}","arrange.line":"This key belongs to the shared line {line}. It is changed with the line, on the page of the integration.","arrange.more":"More","arrange.name":"Key {key}","arrange.save":"Save","arrange.saved":"Key {key} is saved.","arrange.start":"Arrange keys","arrange.swap":"Swap","arrange.swap_with":"Swap with","arrange.swapped":"Keys {key} and {other} are swapped.","arrange.waiting":"Waiting for the settings…","card.description":"A desk phone with its keys and lamps","card.failed":"This phone cannot be shown: {message}","card.name":"Desk phone","card.no_device":"Choose a phone in the settings of this card.","card.refused":"You may not see this phone.","card.reload":"This page has another version of the card than the server.","card.reload_now":"Reload the page","card.removed":"This phone was removed.","card.stopped":"The server of this phone is stopped.","card.unknown":"This phone is not known.","card.waiting":"Waiting for the phone…","color.blue":"blue","color.green":"green","color.orange":"orange","color.pink":"pink","color.red":"red","color.turquoise":"turquoise","color.violet":"violet","color.white":"white","color.yellow":"yellow","editor.device_id":"Phone","editor.no_boolean":"show_name must be true or false.","editor.no_text":"device_id must be the ID of a device.","editor.show_name":"Show the name","editor.show_name_help":"Off if a heading above the card names the phone.","example.alarm":"Alarm","example.door":"Front door","example.garage":"Garage","example.heating":"Heating","example.light":"Kitchen","example.mail":"Mail","example.music":"Music","example.name":"Example","example.night":"Good night","key.caller":"call: {caller}","key.confirming":"Press again","key.held":"held by {phone}","key.lacking":"not yet on the phone","key.name":"Key {key}","key.not_pressable":"cannot be pressed","key.waiting":"{new} new, {old} old messages","lamp.dark":"lamp off","lamp.fast":"lamp blinks fast, {color}","lamp.medium":"lamp blinks, {color}","lamp.slow":"lamp blinks slowly, {color}","lamp.steady":"lamp on, {color}","panel.empty":"No phone is set up.","panel.title":"Phones","phone.empty":"No key is set up.","phone.generic":"It is not known where these keys are. They are drawn in their order.","phone.keys":"Keys of the phone","phone.messages":"{new} new, {old} old messages","phone.module":"Expansion module {model}","phone.more":"More keys","phone.no_press":"You may see this phone, but not press its keys.","phone.page":"Page {page}","phone.page_lit":"Page {page}: {lamps} lit","phone.pages":"Pages","status.absent":"The phone is not registered","status.behind":"The phone is not up to date yet","status.in_sync":"The phone is up to date","status.lost":"No connection to Home Assistant","status.refusing":"The phone refuses what its keys should show","status.silent":"The phone does not answer","status.stopped":"The server of this phone is stopped","strategy.description":"All desk phones with their keys and lamps, and the shared lines","strategy.empty":"No phone is set up. [Add one](/config/integrations/integration/snom_buttons) on the page of the integration.","strategy.lines":"Shared lines"},bt={de:wt,en:Je},u=(i,e,t={})=>{const[s=""]=(i??"").split("-");return(bt[s]?.[e]??Je[e]).replaceAll(/\{(\w+)\}/g,(r,o)=>String(t[o]??r))},B="snom-phone-card",$t=[{name:"device_id",required:!0,selector:{device:{entity:{integration:D,domain:["binary_sensor","button"]}}}},{name:"show_name",default:!0,selector:{boolean:{}}}],vt={show_name:"editor.show_name_help"},M=()=>document.documentElement.lang,xt=i=>{const[e]=q(i);return e?{device_id:e.id}:{}},kt=()=>({schema:$t,computeLabel:({name:i})=>u(M(),`editor.${i}`),computeHelper:({name:i})=>{const e=vt[i];return e&&u(M(),e)},assertConfig:et}),et=i=>{const{device_id:e,show_name:t}=i;if(e!==void 0&&typeof e!="string")throw new Error(u(M(),"editor.no_text"));if(t!==void 0&&typeof t!="boolean")throw new Error(u(M(),"editor.no_boolean"))},At=(i,e)=>{const t=i.entities[e];if(t?.platform!==D)return null;const s=q(i).find(({id:n})=>n===t.device_id);return s?{config:{type:`custom:${B}`,device_id:s.id}}:null};const G=globalThis,fe=G.ShadowRoot&&(G.ShadyCSS===void 0||G.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,ge=Symbol(),Ee=new WeakMap;let tt=class{constructor(e,t,s){if(this._$cssResult$=!0,s!==ge)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=t}get styleSheet(){let e=this.o;const t=this.t;if(fe&&e===void 0){const s=t!==void 0&&t.length===1;s&&(e=Ee.get(t)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),s&&Ee.set(t,e))}return e}toString(){return this.cssText}};const Et=i=>new tt(typeof i=="string"?i:i+"",void 0,ge),se=(i,...e)=>{const t=i.length===1?i[0]:e.reduce((s,n,r)=>s+(o=>{if(o._$cssResult$===!0)return o.cssText;if(typeof o=="number")return o;throw Error("Value passed to 'css' function must be a 'css' function result: "+o+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(n)+i[r+1],i[0]);return new tt(t,i,ge)},St=(i,e)=>{if(fe)i.adoptedStyleSheets=e.map(t=>t instanceof CSSStyleSheet?t:t.styleSheet);else for(const t of e){const s=document.createElement("style"),n=G.litNonce;n!==void 0&&s.setAttribute("nonce",n),s.textContent=t.cssText,i.appendChild(s)}},Se=fe?i=>i:i=>i instanceof CSSStyleSheet?(e=>{let t="";for(const s of e.cssRules)t+=s.cssText;return Et(t)})(i):i;const{is:Tt,defineProperty:Ct,getOwnPropertyDescriptor:Mt,getOwnPropertyNames:Pt,getOwnPropertySymbols:Ot,getPrototypeOf:Lt}=Object,ie=globalThis,Te=ie.trustedTypes,Dt=Te?Te.emptyScript:"",Ht=ie.reactiveElementPolyfillSupport,K=(i,e)=>i,Y={toAttribute(i,e){switch(e){case Boolean:i=i?Dt:null;break;case Object:case Array:i=i==null?i:JSON.stringify(i)}return i},fromAttribute(i,e){let t=i;switch(e){case Boolean:t=i!==null;break;case Number:t=i===null?null:Number(i);break;case Object:case Array:try{t=JSON.parse(i)}catch{t=null}}return t}},_e=(i,e)=>!Tt(i,e),Ce={attribute:!0,type:String,converter:Y,reflect:!1,useDefault:!1,hasChanged:_e};Symbol.metadata??=Symbol("metadata"),ie.litPropertyMetadata??=new WeakMap;let U=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,t=Ce){if(t.state&&(t.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((t=Object.create(t)).wrapped=!0),this.elementProperties.set(e,t),!t.noAccessor){const s=Symbol(),n=this.getPropertyDescriptor(e,s,t);n!==void 0&&Ct(this.prototype,e,n)}}static getPropertyDescriptor(e,t,s){const{get:n,set:r}=Mt(this.prototype,e)??{get(){return this[t]},set(o){this[t]=o}};return{get:n,set(o){const l=n?.call(this);r?.call(this,o),this.requestUpdate(e,l,s)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??Ce}static _$Ei(){if(this.hasOwnProperty(K("elementProperties")))return;const e=Lt(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(K("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(K("properties"))){const t=this.properties,s=[...Pt(t),...Ot(t)];for(const n of s)this.createProperty(n,t[n])}const e=this[Symbol.metadata];if(e!==null){const t=litPropertyMetadata.get(e);if(t!==void 0)for(const[s,n]of t)this.elementProperties.set(s,n)}this._$Eh=new Map;for(const[t,s]of this.elementProperties){const n=this._$Eu(t,s);n!==void 0&&this._$Eh.set(n,t)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){const t=[];if(Array.isArray(e)){const s=new Set(e.flat(1/0).reverse());for(const n of s)t.unshift(Se(n))}else e!==void 0&&t.push(Se(e));return t}static _$Eu(e,t){const s=t.attribute;return s===!1?void 0:typeof s=="string"?s:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){const e=new Map,t=this.constructor.elementProperties;for(const s of t.keys())this.hasOwnProperty(s)&&(e.set(s,this[s]),delete this[s]);e.size>0&&(this._$Ep=e)}createRenderRoot(){const e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return St(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,t,s){this._$AK(e,s)}_$ET(e,t){const s=this.constructor.elementProperties.get(e),n=this.constructor._$Eu(e,s);if(n!==void 0&&s.reflect===!0){const r=(s.converter?.toAttribute!==void 0?s.converter:Y).toAttribute(t,s.type);this._$Em=e,r==null?this.removeAttribute(n):this.setAttribute(n,r),this._$Em=null}}_$AK(e,t){const s=this.constructor,n=s._$Eh.get(e);if(n!==void 0&&this._$Em!==n){const r=s.getPropertyOptions(n),o=typeof r.converter=="function"?{fromAttribute:r.converter}:r.converter?.fromAttribute!==void 0?r.converter:Y;this._$Em=n;const l=o.fromAttribute(t,r.type);this[n]=l??this._$Ej?.get(n)??l,this._$Em=null}}requestUpdate(e,t,s,n=!1,r){if(e!==void 0){const o=this.constructor;if(n===!1&&(r=this[e]),s??=o.getPropertyOptions(e),!((s.hasChanged??_e)(r,t)||s.useDefault&&s.reflect&&r===this._$Ej?.get(e)&&!this.hasAttribute(o._$Eu(e,s))))return;this.C(e,t,s)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,t,{useDefault:s,reflect:n,wrapped:r},o){s&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,o??t??this[e]),r!==!0||o!==void 0)||(this._$AL.has(e)||(this.hasUpdated||s||(t=void 0),this._$AL.set(e,t)),n===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(t){Promise.reject(t)}const e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(const[n,r]of this._$Ep)this[n]=r;this._$Ep=void 0}const s=this.constructor.elementProperties;if(s.size>0)for(const[n,r]of s){const{wrapped:o}=r,l=this[n];o!==!0||this._$AL.has(n)||l===void 0||this.C(n,void 0,r,l)}}let e=!1;const t=this._$AL;try{e=this.shouldUpdate(t),e?(this.willUpdate(t),this._$EO?.forEach(s=>s.hostUpdate?.()),this.update(t)):this._$EM()}catch(s){throw e=!1,this._$EM(),s}e&&this._$AE(t)}willUpdate(e){}_$AE(e){this._$EO?.forEach(t=>t.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(t=>this._$ET(t,this[t])),this._$EM()}updated(e){}firstUpdated(e){}};U.elementStyles=[],U.shadowRootOptions={mode:"open"},U[K("elementProperties")]=new Map,U[K("finalized")]=new Map,Ht?.({ReactiveElement:U}),(ie.reactiveElementVersions??=[]).push("2.1.2");const me=globalThis,Me=i=>i,X=me.trustedTypes,Pe=X?X.createPolicy("lit-html",{createHTML:i=>i}):void 0,st="$lit$",T=`lit$${Math.random().toFixed(9).slice(2)}$`,it="?"+T,Ut=`<${it}>`,H=document,V=()=>H.createComment(""),W=i=>i===null||typeof i!="object"&&typeof i!="function",ye=Array.isArray,Nt=i=>ye(i)||typeof i?.[Symbol.iterator]=="function",le=`[ 	
\f\r]`,R=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,Oe=/-->/g,Le=/>/g,P=RegExp(`>|${le}(?:([^\\s"'>=/]+)(${le}*=${le}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),De=/'/g,He=/"/g,nt=/^(?:script|style|textarea|title)$/i,rt=i=>(e,...t)=>({_$litType$:i,strings:e,values:t}),d=rt(1),Z=rt(2),E=Symbol.for("lit-noChange"),c=Symbol.for("lit-nothing"),Ue=new WeakMap,L=H.createTreeWalker(H,129);function ot(i,e){if(!ye(i)||!i.hasOwnProperty("raw"))throw Error("invalid template strings array");return Pe!==void 0?Pe.createHTML(e):e}const zt=(i,e)=>{const t=i.length-1,s=[];let n,r=e===2?"<svg>":e===3?"<math>":"",o=R;for(let l=0;l<t;l++){const a=i[l];let p,g,h=-1,_=0;for(;_<a.length&&(o.lastIndex=_,g=o.exec(a),g!==null);)_=o.lastIndex,o===R?g[1]==="!--"?o=Oe:g[1]!==void 0?o=Le:g[2]!==void 0?(nt.test(g[2])&&(n=RegExp("</"+g[2],"g")),o=P):g[3]!==void 0&&(o=P):o===P?g[0]===">"?(o=n??R,h=-1):g[1]===void 0?h=-2:(h=o.lastIndex-g[2].length,p=g[1],o=g[3]===void 0?P:g[3]==='"'?He:De):o===He||o===De?o=P:o===Oe||o===Le?o=R:(o=P,n=void 0);const f=o===P&&i[l+1].startsWith("/>")?" ":"";r+=o===R?a+Ut:h>=0?(s.push(p),a.slice(0,h)+st+a.slice(h)+T+f):a+T+(h===-2?l:f)}return[ot(i,r+(i[t]||"<?>")+(e===2?"</svg>":e===3?"</math>":"")),s]};class F{constructor({strings:e,_$litType$:t},s){let n;this.parts=[];let r=0,o=0;const l=e.length-1,a=this.parts,[p,g]=zt(e,t);if(this.el=F.createElement(p,s),L.currentNode=this.el.content,t===2||t===3){const h=this.el.content.firstChild;h.replaceWith(...h.childNodes)}for(;(n=L.nextNode())!==null&&a.length<l;){if(n.nodeType===1){if(n.hasAttributes())for(const h of n.getAttributeNames())if(h.endsWith(st)){const _=g[o++],f=n.getAttribute(h).split(T),y=/([.?@])?(.*)/.exec(_);a.push({type:1,index:r,name:y[2],strings:f,ctor:y[1]==="."?It:y[1]==="?"?jt:y[1]==="@"?Kt:ne}),n.removeAttribute(h)}else h.startsWith(T)&&(a.push({type:6,index:r}),n.removeAttribute(h));if(nt.test(n.tagName)){const h=n.textContent.split(T),_=h.length-1;if(_>0){n.textContent=X?X.emptyScript:"";for(let f=0;f<_;f++)n.append(h[f],V()),L.nextNode(),a.push({type:2,index:++r});n.append(h[_],V())}}}else if(n.nodeType===8)if(n.data===it)a.push({type:2,index:r});else{let h=-1;for(;(h=n.data.indexOf(T,h+1))!==-1;)a.push({type:7,index:r}),h+=T.length-1}r++}}static createElement(e,t){const s=H.createElement("template");return s.innerHTML=e,s}}function N(i,e,t=i,s){if(e===E)return e;let n=s!==void 0?t._$Co?.[s]:t._$Cl;const r=W(e)?void 0:e._$litDirective$;return n?.constructor!==r&&(n?._$AO?.(!1),r===void 0?n=void 0:(n=new r(i),n._$AT(i,t,s)),s!==void 0?(t._$Co??=[])[s]=n:t._$Cl=n),n!==void 0&&(e=N(i,n._$AS(i,e.values),n,s)),e}class Rt{constructor(e,t){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=t}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){const{el:{content:t},parts:s}=this._$AD,n=(e?.creationScope??H).importNode(t,!0);L.currentNode=n;let r=L.nextNode(),o=0,l=0,a=s[0];for(;a!==void 0;){if(o===a.index){let p;a.type===2?p=new z(r,r.nextSibling,this,e):a.type===1?p=new a.ctor(r,a.name,a.strings,this,e):a.type===6&&(p=new Bt(r,this,e)),this._$AV.push(p),a=s[++l]}o!==a?.index&&(r=L.nextNode(),o++)}return L.currentNode=H,n}p(e){let t=0;for(const s of this._$AV)s!==void 0&&(s.strings!==void 0?(s._$AI(e,s,t),t+=s.strings.length-2):s._$AI(e[t])),t++}}class z{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,t,s,n){this.type=2,this._$AH=c,this._$AN=void 0,this._$AA=e,this._$AB=t,this._$AM=s,this.options=n,this._$Cv=n?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode;const t=this._$AM;return t!==void 0&&e?.nodeType===11&&(e=t.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,t=this){e=N(this,e,t),W(e)?e===c||e==null||e===""?(this._$AH!==c&&this._$AR(),this._$AH=c):e!==this._$AH&&e!==E&&this._(e):e._$litType$!==void 0?this.$(e):e.nodeType!==void 0?this.T(e):Nt(e)?this.k(e):this._(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==c&&W(this._$AH)?this._$AA.nextSibling.data=e:this.T(H.createTextNode(e)),this._$AH=e}$(e){const{values:t,_$litType$:s}=e,n=typeof s=="number"?this._$AC(e):(s.el===void 0&&(s.el=F.createElement(ot(s.h,s.h[0]),this.options)),s);if(this._$AH?._$AD===n)this._$AH.p(t);else{const r=new Rt(n,this),o=r.u(this.options);r.p(t),this.T(o),this._$AH=r}}_$AC(e){let t=Ue.get(e.strings);return t===void 0&&Ue.set(e.strings,t=new F(e)),t}k(e){ye(this._$AH)||(this._$AH=[],this._$AR());const t=this._$AH;let s,n=0;for(const r of e)n===t.length?t.push(s=new z(this.O(V()),this.O(V()),this,this.options)):s=t[n],s._$AI(r),n++;n<t.length&&(this._$AR(s&&s._$AB.nextSibling,n),t.length=n)}_$AR(e=this._$AA.nextSibling,t){for(this._$AP?.(!1,!0,t);e!==this._$AB;){const s=Me(e).nextSibling;Me(e).remove(),e=s}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}}class ne{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,t,s,n,r){this.type=1,this._$AH=c,this._$AN=void 0,this.element=e,this.name=t,this._$AM=n,this.options=r,s.length>2||s[0]!==""||s[1]!==""?(this._$AH=Array(s.length-1).fill(new String),this.strings=s):this._$AH=c}_$AI(e,t=this,s,n){const r=this.strings;let o=!1;if(r===void 0)e=N(this,e,t,0),o=!W(e)||e!==this._$AH&&e!==E,o&&(this._$AH=e);else{const l=e;let a,p;for(e=r[0],a=0;a<r.length-1;a++)p=N(this,l[s+a],t,a),p===E&&(p=this._$AH[a]),o||=!W(p)||p!==this._$AH[a],p===c?e=c:e!==c&&(e+=(p??"")+r[a+1]),this._$AH[a]=p}o&&!n&&this.j(e)}j(e){e===c?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}}class It extends ne{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===c?void 0:e}}class jt extends ne{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==c)}}class Kt extends ne{constructor(e,t,s,n,r){super(e,t,s,n,r),this.type=5}_$AI(e,t=this){if((e=N(this,e,t,0)??c)===E)return;const s=this._$AH,n=e===c&&s!==c||e.capture!==s.capture||e.once!==s.once||e.passive!==s.passive,r=e!==c&&(s===c||n);n&&this.element.removeEventListener(this.name,this,s),r&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}}class Bt{constructor(e,t,s){this.element=e,this.type=6,this._$AN=void 0,this._$AM=t,this.options=s}get _$AU(){return this._$AM._$AU}_$AI(e){N(this,e)}}const Vt={I:z},Wt=me.litHtmlPolyfillSupport;Wt?.(F,z),(me.litHtmlVersions??=[]).push("3.3.3");const Ft=(i,e,t)=>{const s=t?.renderBefore??e;let n=s._$litPart$;if(n===void 0){const r=t?.renderBefore??null;s._$litPart$=n=new z(e.insertBefore(V(),r),r,void 0,t??{})}return n._$AI(i),n};const we=globalThis;let C=class extends U{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){const e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){const t=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=Ft(t,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return E}};C._$litElement$=!0,C.finalized=!0,we.litElementHydrateSupport?.({LitElement:C});const qt=we.litElementPolyfillSupport;qt?.({LitElement:C});(we.litElementVersions??=[]).push("4.2.2");const Qt={attribute:!0,type:String,converter:Y,reflect:!1,hasChanged:_e},Gt=(i=Qt,e,t)=>{const{kind:s,metadata:n}=t;let r=globalThis.litPropertyMetadata.get(n);if(r===void 0&&globalThis.litPropertyMetadata.set(n,r=new Map),s==="setter"&&((i=Object.create(i)).wrapped=!0),r.set(t.name,i),s==="accessor"){const{name:o}=t;return{set(l){const a=e.get.call(this);e.set.call(this,l),this.requestUpdate(o,a,i,!0,l)},init(l){return l!==void 0&&this.C(o,void 0,i,l),l}}}if(s==="setter"){const{name:o}=t;return function(l){const a=this[o];e.call(this,l),this.requestUpdate(o,a,i,!0,l)}}throw Error("Unsupported decorator location: "+s)};function w(i){return(e,t)=>typeof t=="object"?Gt(i,e,t):((s,n,r)=>{const o=n.hasOwnProperty(r);return n.constructor.createProperty(r,s),o?Object.getOwnPropertyDescriptor(n,r):void 0})(i,e,t)}function m(i){return w({...i,state:!0,attribute:!1})}const at=(i,e,t)=>(t.configurable=!0,t.enumerable=!0,Reflect.decorate&&typeof e!="object"&&Object.defineProperty(i,e,t),t);function lt(i,e){return(t,s,n)=>{const r=o=>o.renderRoot?.querySelector(i)??null;return at(t,s,{get(){return r(this)}})}}let Yt;function Xt(i){return(e,t)=>at(e,t,{get(){return(this.renderRoot??(Yt??=document.createDocumentFragment())).querySelectorAll(i)}})}const ht={ATTRIBUTE:1,CHILD:2},be=i=>(...e)=>({_$litDirective$:i,values:e});let $e=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,t,s){this._$Ct=e,this._$AM=t,this._$Ci=s}_$AS(e,t){return this.update(e,t)}update(e,t){return this.render(...t)}};const Zt=be(class extends $e{constructor(i){if(super(i),i.type!==ht.ATTRIBUTE||i.name!=="class"||i.strings?.length>2)throw Error("`classMap()` can only be used in the `class` attribute and must be the only part in the attribute.")}render(i){return" "+Object.keys(i).filter(e=>i[e]).join(" ")+" "}update(i,[e]){if(this.st===void 0){this.st=new Set,i.strings!==void 0&&(this.nt=new Set(i.strings.join(" ").split(/\s/).filter(s=>s!=="")));for(const s in e)e[s]&&!this.nt?.has(s)&&this.st.add(s);return this.render(e)}const t=i.element.classList;for(const s of this.st)s in e||(t.remove(s),this.st.delete(s));for(const s in e){const n=!!e[s];n===this.st.has(s)||this.nt?.has(s)||(n?(t.add(s),this.st.add(s)):(t.remove(s),this.st.delete(s)))}return E}});const Jt={},dt=be(class extends $e{constructor(){super(...arguments),this.ot=Jt}render(i,e){return e()}update(i,[e,t]){if(Array.isArray(e)){if(Array.isArray(this.ot)&&this.ot.length===e.length&&e.every((s,n)=>s===this.ot[n]))return E}else if(this.ot===e)return E;return this.ot=Array.isArray(e)?Array.from(e):e,this.render(e,t)}}),ct={slow:1e3,medium:500,fast:250},es=Object.entries(ct).map(([i,e])=>[`${i}-dark`,e]),ue=ct.fast,J=new Set;let ee;const ts=i=>{J.add(i),ut(i,performance.now()),ee===void 0&&pt()},ss=i=>{J.delete(i),!J.size&&(clearTimeout(ee),ee=void 0)},pt=()=>{ee=setTimeout(is,ue-performance.now()%ue)},is=()=>{const i=performance.now()+ue/10;for(const e of J)ut(e,i);pt()},ut=(i,e)=>{for(const[t,s]of es)i.toggleAttribute(t,Math.floor(e/s)%2===1)},ns=d`<svg
    class="handset"
    viewBox="0 0 64 270"
    aria-hidden="true"
  >
    <defs>
      <linearGradient id="round">
        <stop offset="0" stop-color="#50575f" />
        <stop offset="0.3" stop-color="#454c54" />
        <stop offset="0.75" stop-color="#2b3036" />
        <stop offset="1" stop-color="#1d2126" />
      </linearGradient>
    </defs>
    <rect class="rest" x="1" y="1" width="62" height="268" rx="17" />
    <path
      class="shadow"
      d="M11 24Q11 11 24 11H44Q57 11 57 24V74Q57 86 49 92V180Q57 186 57 198V250Q57 263 44 263H24Q11 263 11 250V198Q11 186 19 180V92Q11 86 11 74Z"
    />
    <path
      fill="url(#round)"
      d="M7 21Q7 8 20 8H42Q55 8 55 21V72Q55 84 47 90V176Q55 182 55 194V246Q55 259 42 259H20Q7 259 7 246V194Q7 182 15 176V90Q7 84 7 72Z"
    />
    <path class="shine" d="M14 24Q14 14 23 14M21 92V174M14 240V198" />
  </svg>
  <div class="speaker"></div>`,rs=["1","2","3","4","5","6","7","8","9","*","0","#"],os=d`<svg
  class="dial"
  viewBox="0 0 250 78"
  aria-hidden="true"
>
  <circle class="pad" cx="38" cy="39" r="29" />
  <circle class="well" cx="38" cy="39" r="13" />
  <circle class="pad" cx="38" cy="39" r="10" />
  <path
    class="sign"
    d="M34 18l4-4l4 4M34 60l4 4l4-4M17 35l-4 4l4 4M59 35l4 4l-4 4"
  />
  ${rs.map((i,e)=>{const t=90+e%3*36,s=3+Math.floor(e/3)*19;return Z`<rect class="pad" x=${t} y=${s} width="30" height="15" rx="4" /><text
      x=${t+15} y=${s+11}>${i}</text>`})}
  ${[3,22,41,60].map(i=>Z`<rect class="pad" x="210" y=${i} width="36" height="15" rx="7.5" />`)}
  <path class="sign" d="M222 13.500v-3h3l3-3v9l-3-3z" />
  <path
    class="sign"
    d="M223 29.500h10M228 26v7M223 48.500h10M225 64.500l6 6M231 64.500l-6 6"
  />
</svg>`,Ne={slow:"M22 7V19",medium:"M19 7V19M25 7V19",fast:"M17 7V19M22 7V19M27 7V19"},ze=i=>d`<svg class="cap" viewBox="0 0 44 26" aria-hidden="true">
    <rect class="side" x="0.5" y="1.5" width="43" height="24" rx="6" />
    <rect class="top" x="0.5" y="0.5" width="43" height="23" rx="6" />
    <rect class="lens" x="12" y="8" width="20" height="9" rx="4.5" />
    ${i&&i.pattern!=="dark"?as(i):c}
  </svg>`,as=({pattern:i,color:e})=>Z`
  <g class="lit ${i}" fill=${e}>
    <rect fill-opacity="0.14" x="5" y="1.5" width="34" height="22" rx="11" />
    <rect fill-opacity="0.28" x="8.5" y="4.5" width="27" height="16" rx="8" />
    <rect class="light" x="12" y="8" width="20" height="9" rx="4.5" />
    <rect class="gleam" x="15" y="9.5" width="14" height="2.5" rx="1.25" />
  </g>
  ${Ne[i]?Z`<path class="mark" d=${Ne[i]} />`:c}
`,re=(i,e)=>d`<svg class="icon ${i}" viewBox="0 0 16 16" aria-hidden="true">
    <path d=${e} />
  </svg>`,Re=re("envelope","M1.5 3.500h13v9h-13zM1.5 4l6.5 5l6.5-5"),ls=re("warning","M8 1.500L15 14H1zM8 6v4M8 11.500v1"),hs=re("clock","M8 1.500a6.5 6.5 0 1 0 .01 0zM8 4v4l3 2"),ds=re("pencil","M2.500 13.500l1-4l7-7l3 3l-7 7zM9 4l3 3"),cs=se`
  :host {
    --card: var(--ha-card-background, var(--card-background-color, #fff));
    --text: var(--primary-text-color, #212121);
    --body: color-mix(in srgb, var(--card) 88%, var(--text));
    --edge: color-mix(in srgb, var(--card) 66%, var(--text));
    --display: #101820;
    --ink: #eaf2f8;
    --faint: #adc3d1;
    --warm: #ffcf70;
    --paper: #f7f3e8;
    display: block;
    container-type: inline-size;
    color: var(--text);
    font-size: 13px;
    line-height: 1.25;
  }

  h2,
  p {
    margin: 0;
    font: inherit;
  }

  svg {
    display: block;
  }

  button {
    font: inherit;
    color: inherit;
    text-align: inherit;
    border: 0;
    margin: 0;
    padding: 0;
    background: none;
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    user-select: none;
    -webkit-user-select: none;
    -webkit-touch-callout: none;
  }

  button:focus-visible {
    outline: 2px solid #fff;
    outline-offset: 0;
    box-shadow: 0 0 0 4px #0b57d0;
    border-radius: 6px;
    position: relative;
    z-index: 1;
  }

  .phone {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    justify-content: center;
    gap: 10px;
  }

  /* A phone is not mirrored where one reads from right to left. */
  .body {
    direction: ltr;
    box-sizing: border-box;
    flex: 2 1 280px;
    min-width: 0;
    max-width: 640px;
    display: flex;
    gap: 10px;
    padding: 10px;
    border-radius: 18px;
    border: 1px solid var(--edge);
    background:
      linear-gradient(#ffffff2e, #ffffff00 40%, #0000001c) padding-box,
      var(--body);
    box-shadow:
      inset 0 1px 0 #ffffff40,
      0 2px 5px #00000040;
  }

  .module {
    flex: 1 1 230px;
    max-width: 420px;
    flex-direction: column;
    gap: 8px;
    border-radius: 14px;
  }

  .left {
    flex: 0 0 34px;
    display: flex;
    flex-direction: column;
    gap: 12px;
  }

  .speaker {
    flex: 1 1 0;
    max-height: 72px;
    margin-top: auto;
    background: radial-gradient(circle, #00000073 1.6px, #0000 2px) center / 7px
      7px round;
  }

  .handset {
    width: 100%;
  }

  .rest {
    fill: #00000026;
    stroke: #00000040;
  }

  .shadow {
    fill: #00000059;
  }

  .shine {
    fill: none;
    stroke: #ffffff47;
    stroke-width: 3;
    stroke-linecap: round;
  }

  .front {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
    gap: 8px;
  }

  .display {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: center;
    gap: 2px 8px;
    padding: 8px 10px;
    border-radius: 8px;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    border: 1px solid #000;
    color: var(--ink);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  h2 {
    font-size: 16px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .display p {
    grid-column: 1 / -1;
    color: var(--faint);
    min-height: 16px;
  }

  .display .problem,
  .display .messages {
    display: flex;
    align-items: center;
    gap: 6px;
  }

  .display .problem {
    color: var(--warm);
  }

  .refusing .display .problem {
    color: #ff9d94;
  }

  .display .fresh {
    color: var(--ink);
  }

  .icon {
    flex: none;
    width: 14px;
    height: 14px;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.5;
    stroke-linejoin: round;
    stroke-linecap: round;
  }

  .message-lamp {
    width: 39px;
    height: 15px;
    overflow: visible;
  }

  .message-light {
    fill: #ff453a;
    stroke: #ff453a66;
    stroke-width: 3;
    paint-order: stroke;
  }

  .lens {
    fill: #11151a;
    stroke: #59636d;
  }

  .group {
    min-width: 0;
  }

  .row {
    display: grid;
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
  }

  .cell {
    min-width: 0;
  }

  .key {
    box-sizing: border-box;
    position: relative;
    display: flex;
    align-items: center;
    width: 100%;
    height: 40px;
    gap: 6px;
  }

  .key.end {
    flex-direction: row-reverse;
  }

  .cap {
    flex: none;
    width: 44px;
    height: 26px;
    overflow: visible;
  }

  .cap .side {
    fill: #0d1013;
  }

  .cap .top {
    fill: #333a42;
    stroke: #14181c;
  }

  .key:hover .top {
    fill: #3d4650;
  }

  .key:active:not([aria-disabled="true"]) .cap {
    transform: translateY(1px);
  }

  .key[aria-disabled="true"] {
    cursor: default;
  }

  .key[aria-disabled="true"] .side {
    opacity: 0;
  }

  .key[aria-disabled="true"] .top {
    fill: #24292e;
  }

  .confirming .top {
    stroke: var(--warm);
    stroke-width: 2.5;
  }

  .lacking .lens {
    stroke: var(--warm);
    stroke-dasharray: 3 2;
  }

  .light {
    stroke: #ffffffb0;
    stroke-width: 0.8;
  }

  .gleam {
    fill: #ffffff80;
  }

  .label {
    flex: 1;
    min-width: 0;
    display: flex;
    flex-direction: column;
  }

  /* Two lines, or one above the news. */
  .name {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
    overflow-wrap: anywhere;
  }

  .name:not(:last-child) {
    -webkit-line-clamp: 1;
    word-break: break-all;
  }

  .news {
    display: flex;
    align-items: center;
    gap: 4px;
    font-size: 11px;
    color: var(--key-faint);
  }

  .news span {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .news .icon {
    width: 12px;
    height: 12px;
  }

  .news .clock {
    color: var(--key-warm);
  }

  .end .news {
    justify-content: flex-end;
  }

  .single .end .news {
    justify-content: flex-start;
  }

  .above .news {
    justify-content: center;
  }

  .plain .name {
    font-style: italic;
  }

  .confirming .news {
    font-weight: 600;
    color: var(--key-warm);
  }

  .unused {
    cursor: default;
  }

  .unused .cap {
    opacity: 0.45;
  }

  .unused .lens {
    fill: none;
    stroke: none;
  }

  /* Keys on both sides of a display, or on the right of it. */
  .screen {
    --key-faint: var(--faint);
    --key-warm: var(--warm);
  }

  .beside.screen {
    position: relative;
    color: var(--ink);
  }

  .beside.screen::before {
    content: "";
    position: absolute;
    inset: 0 50px;
    border-radius: 8px;
    border: 1px solid #000;
    background: linear-gradient(160deg, #1d2a36, var(--display) 60%);
    box-shadow: inset 0 0 0 1px #ffffff14;
  }

  .beside.screen.single::before {
    left: 0;
  }

  .beside.screen .label {
    position: relative;
  }

  .beside.screen .row + .row .label {
    box-shadow: 0 -1px #ffffff17;
  }

  .beside.screen .key.start .label {
    padding-left: 10px;
  }

  .beside.screen .key.end .label {
    padding-right: 10px;
  }

  .beside.screen:not(.single) .key.end .label {
    text-align: right;
  }

  .beside.screen.single .key.end .label {
    padding-left: 10px;
  }

  .beside.screen .label {
    height: 100%;
    justify-content: center;
  }

  /* Keys beside strips of paper. */
  .paper {
    --key-faint: #5a5243;
    --key-warm: #8a4b00;
    color: #26241f;
  }

  .beside.paper .row {
    column-gap: 8px;
  }

  .beside.paper .label {
    height: 100%;
    justify-content: center;
    padding: 0 8px;
    background: var(--paper);
    border: solid #00000040;
    border-width: 0 1px 1px;
  }

  .beside.paper .row:first-child .label {
    border-top-width: 1px;
    border-radius: 5px 5px 0 0;
  }

  .beside.paper .row:last-child .label {
    border-radius: 0 0 5px 5px;
  }

  .beside.paper .key.end .label {
    text-align: right;
  }

  /* Keys with their labels below, where it is not known how they stand. */
  .tiles {
    --key-faint: var(--text);
    --key-warm: var(--text);
    color: var(--text);
  }

  .tiles .row {
    gap: 6px;
  }

  .tiles .key {
    flex-direction: column;
    justify-content: flex-start;
    gap: 3px;
    height: 68px;
    padding-top: 4px;
    text-align: center;
  }

  .tiles .label {
    width: 100%;
    flex: none;
    font-size: 12px;
  }

  .tabs {
    display: flex;
    justify-content: center;
    gap: 6px;
    margin-top: 8px;
  }

  .tab {
    position: relative;
    min-width: 34px;
    height: 26px;
    text-align: center;
    border-radius: 13px;
    border: 1px solid var(--edge);
    background: var(--card);
    color: var(--text);
  }

  .tab[aria-current="page"] {
    background: var(--text);
    color: var(--card);
    font-weight: 600;
  }

  .page-lamp {
    position: absolute;
    top: -4px;
    right: -4px;
    width: 13px;
    height: 13px;
  }

  .note {
    font-size: 12px;
    margin-top: 6px;
  }

  .phone > .note {
    flex: 1 0 100%;
    margin: 0 4px;
  }

  .said {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .dial {
    width: 100%;
    max-height: 78px;
    margin-top: auto;
  }

  .pad {
    fill: #333a42;
    stroke: #14181c;
  }

  .well {
    fill: #14181c;
  }

  .dial .sign {
    fill: none;
    stroke: #c5cfd8;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .dial text {
    fill: #c5cfd8;
    font-size: 9px;
    text-anchor: middle;
  }

  /* Not registered, or no server: the phone is off. */
  .off .display,
  .off .beside.screen::before {
    background: #2c3136;
  }

  .off .lit {
    fill-opacity: 0.35;
  }

  .off .handset,
  .off .speaker,
  .off .dial {
    opacity: 0.5;
  }

  .silent .body,
  .off .body {
    border-style: dashed;
  }

  /* blink.ts sets these attributes. */
  @media (prefers-reduced-motion: no-preference) {
    :host([slow-dark]) .on .slow,
    :host([medium-dark]) .on .medium,
    :host([fast-dark]) .on .fast {
      visibility: hidden;
    }
  }

  .mark {
    display: none;
    stroke: #000;
    stroke-width: 2.5;
  }

  @media (prefers-reduced-motion: reduce) {
    .mark {
      display: inline;
    }
  }

  @container (min-width: 420px) {
    .left {
      flex-basis: 58px;
    }
    .body {
      padding: 14px;
      gap: 14px;
    }
    .module {
      gap: 8px;
    }
    .key {
      font-size: 14px;
    }
  }

  @container (max-width: 360px) {
    .left {
      flex-basis: 28px;
    }
    .body {
      padding: 8px;
      gap: 8px;
    }
    .beside {
      font-size: 12px;
    }
    .beside .cap {
      width: 37px;
      height: 22px;
    }
    .beside.screen::before {
      inset: 0 43px;
    }
    .beside.paper .row {
      column-gap: 6px;
    }
    .beside.paper .label {
      padding: 0 5px;
    }
    .beside.screen .key.start .label {
      padding-left: 7px;
    }
    .beside.screen .key.end .label {
      padding-right: 7px;
    }
  }

  @container (max-width: 250px) {
    .left {
      display: none;
    }
  }

  /* Keys that are arranged. */
  .arranging .key {
    cursor: grab;
    border-radius: 6px;
    outline: 1px dashed var(--key-faint, var(--text));
    outline-offset: -1px;
  }

  /* A finger drags by the cap, and scrolls by the rest. */
  .arranging .cap {
    touch-action: none;
  }

  .arranging .key[aria-pressed="true"],
  .arranging .key[data-drag="to"] {
    outline: 2px solid #fff;
    outline-offset: -2px;
    box-shadow: inset 0 0 0 4px #0b57d0;
  }

  .arranging .key[data-drag="from"] {
    z-index: 2;
    opacity: 0.75;
    pointer-events: none;
    cursor: grabbing;
  }
`,ps=8;class us{constructor(e,t){this._root=e,this._dropped=t,this._start={x:0,y:0},this._isDragging=!1}begin(e,t){this.end(),t.button===0&&(this._from=e,this._start={x:t.clientX,y:t.clientY},e.hasPointerCapture(t.pointerId)&&e.releasePointerCapture(t.pointerId))}move(e){if(!this._from)return;const t=e.clientX-this._start.x,s=e.clientY-this._start.y;if(!this._isDragging&&Math.hypot(t,s)<ps)return;this._isDragging=!0,this._from.dataset.drag="from",this._from.style.translate=`${t}px ${s}px`;const n=this._root()?.elementFromPoint(e.clientX,e.clientY)?.closest("button.key");this._mark(n===this._from?void 0:n??void 0)}drop(){const e=this._isDragging,t=this._from?.dataset.key,s=this._target?.dataset.key;return this.end(),t!==void 0&&s!==void 0&&this._dropped(t,s),e}end(){this._from&&(delete this._from.dataset.drag,this._from.style.translate=""),this._mark(void 0),this._from=void 0,this._isDragging=!1}_mark(e){this._target!==e&&(this._target&&delete this._target.dataset.drag,e&&(e.dataset.drag="to"),this._target=e)}}const fs=[[15,"color.red"],[45,"color.orange"],[70,"color.yellow"],[165,"color.green"],[195,"color.turquoise"],[255,"color.blue"],[290,"color.violet"],[345,"color.pink"],[360,"color.red"]],gs=.2,_s=i=>{const[e,t,s]=[1,3,5].map(a=>parseInt(i.slice(a,a+2),16)/255),n=Math.max(e,t,s),r=n-Math.min(e,t,s);if(!(r>gs*n))return"color.white";let o=(e-t)/r+4;n===e?o=(t-s)/r:n===t&&(o=(s-e)/r+2);const l=(o*60+360)%360;return fs.find(([a])=>l<=a)?.[1]??"color.red"},ms=(i,{pattern:e,color:t})=>u(i,`lamp.${e}`,{color:u(i,_s(t))}),te=(i,e)=>e.label||e.title||u(i,"key.name",{key:e.key}),ft=(i,e)=>{const t=[];e.confirming&&t.push(u(i,"key.confirming"));const{caller:s}=e;if(s&&t.push(u(i,"key.caller",{caller:s})),e.held_by!==null){const n=e.held_by||"Home Assistant";t.push(u(i,"key.held",{phone:n}))}return e.lacking&&t.push(u(i,"key.lacking")),t},ys=(i,e)=>{const[t="0",s="0"]=e.split("/");return u(i,"key.waiting",{new:t,old:s})},ws=(i,e,t)=>{const s=[te(i,e)],n=u(i,"key.name",{key:e.key});return s.includes(n)||s.unshift(n),s.push(ms(i,e),...ft(i,e)),e.waiting&&s.push(ys(i,e.waiting)),t||s.push(u(i,"key.not_pressable")),s.join(", ")},bs=(i,e)=>u(i,"arrange.key",{key:e.key,name:te(i,e)});var $s=Object.defineProperty,v=(i,e,t,s)=>{for(var n=void 0,r=i.length-1,o;r>=0;r--)(o=i[r])&&(n=o(e,t,n)||n);return n&&$s(e,t,n),n};const vs="snom-phone-face",xs=2e3,ks=500,As=10;class b extends C{constructor(){super(...arguments),this.stopped=!1,this.lost=!1,this.nameless=!1,this.arranging=!1,this._pages={},this._current={},this._isLate=!1,this._said="",this._keys=new Map,this._held=!1,this._drag=new us(()=>this.shadowRoot,(e,t)=>{this.dispatchEvent(new CustomEvent("key-swap",{detail:[e,t]}))})}static{this.styles=cs}connectedCallback(){super.connectedCallback(),ts(this)}disconnectedCallback(){super.disconnectedCallback(),ss(this),this._endHold(),this._endLate(),this._drag.end()}willUpdate(e){const{face:t}=this;if(!t)return;t.status!=="behind"||this._isOld?this._endLate():this._lateTimer===void 0&&(this._lateTimer=setTimeout(()=>{this._isLate=!0},xs));const s=e.get("face"),n=s?this._newsOf(s,t):[];e.has("face")&&s?.keys!==t.keys&&(this._keys=new Map(t.keys.map(r=>[r.key,r]))),this._status!==this._shownStatus&&(this._shownStatus&&n.push(this._text(this._status)),this._shownStatus=this._status),(s||n.length)&&(this._said=n.join(". "))}updated(){const e=this._focus;e!==void 0&&(this._focus=void 0,[...this._buttons].find(({dataset:t})=>t.key===e)?.focus())}render(){const{face:e}=this;if(!e)return c;const[t,...s]=e.groups,n=this._isOld||e.status==="absent";return d`<section
      class="phone ${this._status.slice(7)} ${n?"off":"on"} ${this.arranging?"arranging":""}"
      aria-label=${e.name}
      @click=${this._click}
      @keydown=${this._keydown}
      @contextmenu=${this._contextmenu}
      @pointerdown=${this._pointerdown}
      @pointermove=${this._pointermove}
      @pointerup=${this._pointerup}
      @pointercancel=${this._pointercancel}
      @pointerleave=${this._pointercancel}
    >
      <div class="body ${t&&t.columns<2?"narrow":""}">
        <div class="left">${ns}</div>
        <div class="front">
          ${this._renderDisplay(e)}
          ${t?this._renderGroup(t,0):c}
          ${e.keys.some(r=>this._isShown(r))?c:this._renderNote("phone.empty")}
          ${os}
        </div>
      </div>
      ${s.map((r,o)=>this._renderModule(r,o+1))}
      ${e.may.press||this.arranging?c:this._renderNote("phone.no_press")}
      <p class="said" role="status">${this._said}</p>
    </section>`}_renderDisplay(e){const{messages:t}=e,s=this._status,n=t?.new??0,r=[e.maker,e.model].filter(Boolean).join(" ");return d`<div class="display">
      <h2 dir="auto">${this.nameless?r:e.name}</h2>
      <svg class="message-lamp" viewBox="0 0 26 10" aria-hidden="true">
        <rect class="lens" x="3" y="2" width="20" height="6" rx="3" />
        ${n?d`<svg class="lit medium">
                <rect
                  class="message-light"
                  x="3"
                  y="2"
                  width="20"
                  height="6"
                  rx="3"
                />
              </svg>`:c}
      </svg>
      ${s==="status.in_sync"?d`<p class="model" dir="auto">
              ${this.nameless?c:r}
            </p>`:d`<p class="problem">${ls}${this._text(s)}</p>`}
      ${t&&n+t.old?d`<p class="messages ${n?"fresh":""}">
              ${Re}${this._text("phone.messages",{...t})}
            </p>`:c}
    </div>`}_renderModule(e,t){return d`<div class="body module">
      <p class="model" dir="auto">${this._groupName(e,t)}</p>
      ${this._renderGroup(e,t)}
    </div>`}_renderGroup(e,t){const s=this._page(t),n=Math.max(e.columns,1),r=[];for(let p=0;p<s.keys.length;p+=n)r.push(s.keys.slice(p,p+n));const o=this._usedKeys(s),l=this._currentKey(t,o),a=n>2||e.kind==="generic"?"tiles":"beside";return d`<div class="group">
      <div
        class="keys ${e.kind} ${a} ${n===1?"single":""}"
        role="grid"
        aria-label=${this._groupName(e,t)}
        data-group=${t}
      >
        ${r.map(p=>d`<div class="row" role="row" style="--columns: ${n}">
              ${p.map((g,h)=>this._renderKey(g,Cs(e,n,h),g===l))}
            </div>`)}
      </div>
      ${s.pages>1?this._renderTabs(s):c}
      ${e.kind==="generic"?this._renderNote("phone.generic"):c}
    </div>`}_renderKey(e,t,s){const n=this._keys.get(e),r=n!==void 0&&this._isPressable(n),{language:o,arranging:l}=this,a=this._showsLacking&&!!n?.lacking,p=l&&e===this.chosen;return dt([...[n,e,t,s,r,a,o],l,p],()=>this._isShown(n)?d`<div class="cell" role="gridcell">
            ${this._renderUsed({...n,lacking:a},t,s,r)}
          </div>`:d`<div class="cell" role="gridcell">
            <div class="key unused ${t}" data-key=${e}>
              ${ze(void 0)}<span class="label"></span>
            </div>
          </div>`)}_renderUsed(e,t,s,n){const{language:r}=this,o=this.arranging?bs(r,e):ws(r,e,n),l=ft(r,e),{lacking:a,confirming:p}=e,g=!e.label;return d`<button
      type="button"
      class=${Zt({key:!0,[t]:!0,lacking:a,confirming:p,plain:g})}
      data-key=${e.key}
      tabindex=${s?0:-1}
      aria-label=${o}
      aria-disabled=${n||this.arranging?"false":"true"}
      aria-pressed=${this.arranging?e.key===this.chosen:c}
      title=${o}
    >
      ${ze(e)}
      <span class="label">
        <span class="name" dir="auto">${te(r,e)}</span>
        ${l.length||e.waiting||a?d`<span class="news">
                ${a?hs:c}
                ${e.waiting?d`${Re}${e.waiting}`:c}
                <span dir="auto">${l.join(" · ")}</span>
              </span>`:c}
      </span>
    </button>`}_renderTabs({group:e,page:t,pages:s}){return d`<div
      class="tabs"
      role="group"
      aria-label=${this._text("phone.pages")}
    >
      ${Array.from({length:s},(n,r)=>{const o=this._page(e,r).keys.flatMap(g=>{const h=this._keys.get(g);return h&&h.pattern!=="dark"?[h]:[]}),l=r===t,[a]=l?[]:o.sort(Ss),p=a?this._text("phone.page_lit",{page:r+1,lamps:o.length}):this._text("phone.page",{page:r+1});return d`<button
          type="button"
          class="tab"
          data-page=${r}
          data-group=${e}
          aria-current=${l?"page":"false"}
          aria-label=${p}
          title=${p}
        >
          ${r+1}${a?d`<svg
                  class="page-lamp"
                  viewBox="0 0 10 10"
                  aria-hidden="true"
                >
                  <circle class="lens" cx="5" cy="5" r="4.5" />
                  <circle
                    class="lit ${a.pattern}"
                    cx="5"
                    cy="5"
                    r="3.5"
                    fill=${a.color}
                  />
                </svg>`:c}
        </button>`})}
    </div>`}_renderNote(e){return d`<p class="note">${this._text(e)}</p>`}_text(e,t){return u(this.language,e,t)}_groupName({module:e},t){return e?this._text("phone.module",{model:e}):this._text(t?"phone.more":"phone.keys")}get _isOld(){return this.stopped||this.lost}get _status(){const{status:e="in_sync"}=this.face??{};return this.lost?"status.lost":this.stopped?"status.stopped":e==="behind"&&!this._isLate?"status.in_sync":`status.${e}`}get _showsLacking(){return["status.behind","status.refusing"].includes(this._status)}_endLate(){clearTimeout(this._lateTimer),this._lateTimer=void 0,this._isLate=!1}_newsOf(e,{messages:t,keys:s}){const n=[];t&&t.new>(e.messages?.new??0)&&n.push(this._text("phone.messages",{...t}));for(const r of s)if(r.confirming&&!this._keys.get(r.key)?.confirming){const o=te(this.language,r);n.push(`${o}: ${this._text("key.confirming")}`)}return n}_page(e,t=this._pages[e]??0){const s=this.face?.groups[e],n=s?.keys??[],r=Math.max((s?.columns??1)*(s?.rows??1),1),o=Math.max(Math.ceil(n.length/r),1),l=Math.min(t,o-1);return{group:e,page:l,pages:o,keys:n.slice(l*r,(l+1)*r)}}_usedKeys(e){return e.keys.filter(t=>this._isShown(this._keys.get(t)))}_isShown(e){return Ts(e)||this.arranging&&e!==void 0}_currentKey(e,t){const s=this._current[e];return s!==void 0&&t.includes(s)?s:t[0]}_isPressable(e){return e.pressable&&!this._isOld&&!!this.face?.may.press}_turn(e,t){const s=this._page(e);return t<0||t>=s.pages||t===s.page?!1:(this._pages={...this._pages,[e]:t},this._said=this._text("phone.page",{page:t+1}),!0)}_focusKey(e,t){t!==void 0&&(this._current={...this._current,[e]:t},this._focus=t)}focusOn(e){[...this._buttons].find(({dataset:t})=>t.key===e)?.focus()}_fire(e,t){this.dispatchEvent(new CustomEvent(e,{detail:t}))}_click(e){const t=I(e,"button.tab");if(t){this._turn(Number(t.dataset.group),Number(t.dataset.page));return}const s=I(e,"button.key"),n=this._keys.get(s?.dataset.key??"");if(!s||!n)return;const r=this._held&&e.detail>0;if(this._held=!1,r)return;const o=je(s);this._current={...this._current,[o]:n.key},this.arranging?this._fire("key-choose",n.key):this._isPressable(n)&&this._fire("key-press",n.key)}_pointerdown(e){this._endHold(),this._held=!1;const t=I(e,"button.key"),s=t?.dataset.key;if(!(!t||s===void 0||e.button!==0)){if(this.arranging){this._drag.begin(t,e);return}this._start={x:e.clientX,y:e.clientY},this._timer=setTimeout(()=>{this._hold(s)},ks)}}_pointerup(){this._endHold(),this._drag.drop()&&(this._held=!0)}_pointercancel(){this._endHold(),this._drag.end()}_pointermove(e){if(this._drag.move(e),!this._start)return;const{x:t,y:s}=this._start;Math.hypot(e.clientX-t,e.clientY-s)>As&&this._endHold()}_endHold(){clearTimeout(this._timer),this._start=void 0}_hold(e){this._endHold(),!(this._held||this.arranging)&&(this._held=!0,this._fire("key-hold",e))}_contextmenu(e){const t=I(e,"button.key")?.dataset.key;t!==void 0&&(e.preventDefault(),this._hold(t))}_keydown(e){const t=I(e,"button.key"),s=t?.dataset.key;if(!(!t||s===void 0)){if(e.repeat||(this._held=!1),e.key==="ContextMenu"||e.key==="F10"&&e.shiftKey){e.preventDefault(),this._hold(s);return}if(!(e.altKey||e.ctrlKey||e.metaKey)){if(e.repeat&&(e.key==="Enter"||e.key===" ")){e.preventDefault();return}this._move(e.key,je(t),s)&&e.preventDefault()}}}_move(e,t,s){const n=this._page(t),r=this._usedKeys(n),o=r.indexOf(s);if(e==="PageUp"||e==="PageDown"){const l=n.page+(e==="PageUp"?-1:1);if(this._turn(t,l)){const a=this._usedKeys(this._page(t));this._focusKey(t,a[Math.min(o,a.length-1)])}return n.pages>1}if(e==="Home")this._focusKey(t,r[0]);else if(e==="End")this._focusKey(t,r.at(-1));else{const l=this.face?.groups[t]?.columns??1,a=Es[e]?.(l);if(a===void 0)return!1;const p=this._next(n,n.keys.indexOf(s),a,l);this._focusKey(t,p??r[o+Math.sign(a)])}return!0}_next({keys:e},t,s,n){const r=Math.floor(t/n);for(let o=t+s;o>=0&&o<e.length;o+=s){const l=Math.floor(o/n)===r;if(Math.abs(s)<n&&!l)return;const a=e[o];if(a!==void 0&&this._isShown(this._keys.get(a)))return a}}}v([w({attribute:!1})],b.prototype,"face");v([w({attribute:!1})],b.prototype,"language");v([w({type:Boolean})],b.prototype,"stopped");v([w({type:Boolean})],b.prototype,"lost");v([w({type:Boolean})],b.prototype,"nameless");v([w({type:Boolean})],b.prototype,"arranging");v([w({attribute:!1})],b.prototype,"chosen");v([Xt("button.key")],b.prototype,"_buttons");v([m()],b.prototype,"_pages");v([m()],b.prototype,"_current");v([m()],b.prototype,"_isLate");v([m()],b.prototype,"_said");const Es={ArrowLeft:()=>-1,ArrowRight:()=>1,ArrowUp:i=>-i,ArrowDown:i=>i},Ie=["fast","medium","slow","steady"],Ss=(i,e)=>Ie.indexOf(i.pattern)-Ie.indexOf(e.pattern),Ts=i=>i!==void 0&&(i.kind!=="none"||i.pattern!=="dark"||i.label!==""),Cs=(i,e,t)=>{if(e>2||i.kind==="generic")return"above";const s=e===2?t===0:i.kind==="paper",n=i.kind==="paper"&&e===2;return s===n?"end":"start"},je=i=>Number(i.closest("[data-group]")?.dataset.group),I=(i,e)=>i.target instanceof Element?i.target.closest(e):null,Ms=async()=>{if(customElements.get("ha-form"))return;if(await(await window.loadCardHelpers?.())?.createCardElement({type:"entities",entities:[]})?.constructor?.getConfigElement?.(),!customElements.get("ha-form"))throw new Error("no ha-form")};var Ps=Object.defineProperty,A=(i,e,t,s)=>{for(var n=void 0,r=i.length-1,o;r>=0;r--)(o=i[r])&&(n=o(e,t,n)||n);return n&&Ps(e,t,n),n};const Os="snom-key-editor",Ls=250,he=["follows","kind","name"],Ke="forget_code";class x extends C{constructor(){super(...arguments),this.deviceId="",this.key="",this.keys=[],this._values={},this._line="",this._error="",this._isSaving=!1,this._other="",this._isOpen=!1,this._tries=0}static{this.styles=se`
    :host {
      display: block;
      color: var(--primary-text-color);
    }
    h3 {
      margin: 0 0 12px;
      font-size: 18px;
      font-weight: 500;
    }
    p {
      margin: 12px 0;
    }
    .error {
      color: var(--error-color, #b00020);
    }
    details {
      margin-block-start: 16px;
    }
    summary {
      padding-block: 8px;
      font-weight: 500;
      cursor: pointer;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: end;
      gap: 8px;
      margin-block-start: 12px;
    }
    button {
      min-height: 36px;
      padding-inline: 16px;
      border: 1px solid currentcolor;
      border-radius: 18px;
      font: inherit;
      color: inherit;
      background: none;
      cursor: pointer;
    }
    button:disabled {
      opacity: 0.5;
      cursor: default;
    }
    .main {
      color: var(--card-background-color, #fff);
      background: var(--primary-text-color, #212121);
    }
    .swap {
      padding-block-start: 12px;
      border-block-start: 1px solid var(--divider-color, #e0e0e0);
    }
    label {
      display: flex;
      flex-direction: column;
      gap: 4px;
      font-size: 12px;
    }
    select {
      min-height: 36px;
      padding-inline: 8px;
      border: 1px solid currentcolor;
      border-radius: 6px;
      font: inherit;
      font-size: 14px;
      color: var(--primary-text-color);
      background: var(--card-background-color, #fff);
    }
  `}disconnectedCallback(){super.disconnectedCallback(),clearTimeout(this._timer),this._tries+=1}willUpdate(e){(e.has("key")||e.has("deviceId"))&&this._load()}render(){const e=this._stored;return d`<section
      aria-label=${this._text("arrange.name",{key:this.key})}
      @keydown=${this._keydown}
    >
      <h3>${this._text("arrange.name",{key:this.key})}</h3>
      ${e?this._renderValues(e):this._renderWaiting()}
    </section>`}_renderWaiting(){return d`${this._error?this._renderError(this._error):d`<p role="status">${this._text("arrange.waiting")}</p>`}
      <div class="bar">${this._renderClose("arrange.close")}</div>`}_renderValues(e){if(e.line!==null){const{line:o}=e;return d`<p>${this._text("arrange.line",{line:o})}</p>
        <div class="bar">${this._renderClose("arrange.close")}</div>`}const t=this._fault,s=t?.field&&this._isShown(t.field),n=this._more(e),r=n.some(({name:o})=>o===t?.field);return d`${this._renderForm(this._first)}
      <details ?open=${this._isOpen||r} @toggle=${this._toggled}>
        <summary>${this._text("arrange.more")}</summary>
        ${this._renderForm(n)}
      </details>
      ${t&&!s?this._renderError(t.text):c}
      ${this._error?this._renderError(this._error):c}
      <p role="status">${this._line}</p>
      <div class="bar">
        <button class="main" type="button" @click=${this._save}>
          ${this._text("arrange.save")}
        </button>
        ${this._renderClose("arrange.cancel")}
      </div>
      ${this._renderSwap()}`}_renderForm(e){const{field:t,text:s}=this._fault??{};return d`<ha-form
      .hass=${this.hass}
      .data=${this._values}
      .schema=${e}
      .error=${t?{[t]:s}:{}}
      .computeLabel=${Ds}
      .computeHelper=${Hs}
      .computeError=${Us}
      @value-changed=${this._changed}
    ></ha-form>`}_renderError(e){return d`<p class="error" role="alert">${e}</p>`}_renderClose(e){return d`<button type="button" @click=${this._cancel}>
      ${this._text(e)}
    </button>`}_renderSwap(){const e=new Set(this._form?.keys.filter(({line:s})=>s!==null).map(({key:s})=>s)),t=this.keys.filter(({key:s})=>s!==this.key&&!e.has(s));return t.length?d`<div class="bar swap">
      <label>
        ${this._text("arrange.swap_with")}
        <select .value=${this._other} @change=${this._choose}>
          <option value=""></option>
          ${t.map(({key:s,label:n,title:r})=>d`<option value=${s}>${s}: ${r||n}</option>`)}
        </select>
      </label>
      <button type="button" ?disabled=${!this._other} @click=${this._swap}>
        ${this._text("arrange.swap")}
      </button>
    </div>`:c}_text(e,t){return u(this.hass?.language,e,t)}get _stored(){return this._form?.keys.find(({key:e})=>e===this.key)}get _first(){const e=this._form?.form??[];return he.flatMap(t=>e.filter(({name:s})=>s===t).map(Be))}_more(e){const t=(this._form?.form??[]).filter(({name:s,kind:n})=>this._isShown(s,n)&&!he.includes(s)).map(s=>s.name==="code"&&e.has_code?{...s,help:this._text("arrange.code_stored")}:Be(s));return e.has_code&&this._values.kind==="linked"&&t.push({name:Ke,label:this._text("arrange.forget_code"),help:"",kind:"linked",required:!1,selector:{boolean:{}}}),t}_isShown(e,t=this._form?.form.find(s=>s.name===e)?.kind){return!t||t===this._values.kind||he.includes(e)}get _settings(){const e={};for(const{name:t,kind:s}of this._form?.form??[]){const n=this._values[t];(!s||s===this._values.kind)&&n!==void 0&&n!==null&&n!==""&&(e[t]=n)}return this._values[Ke]&&!e.code&&(e.code=null),e}_changed({detail:{value:e}}){const t=e.follows;t!==this._values.follows&&(t?e={...e,kind:"linked"}:e.kind==="linked"&&(e={...e,kind:"light"})),this._values=e,this._fault=void 0,this._error="",clearTimeout(this._timer),this._timer=setTimeout(()=>{this._try()},Ls)}_toggled(e){this._isOpen=e.target.open}_choose(e){this._other=e.target.value}async _load(){clearTimeout(this._timer),this._form=this._fault=void 0,this._line=this._error=this._other="";const e=this._tries+=1;this._preview(null);try{await Ms()}catch{this._error=this._text("arrange.failed");return}const t=await this._ask({});!t||e!==this._tries||(this._form=t,this._values={...this._stored?.settings},this._stored&&(await this.updateComplete,this._element?.focus(),this._stored.line===null&&await this._try()))}async _try(){const e=this._tries+=1,{key:t,_settings:s}=this,n=await this._ask({key:t,settings:s,dry_run:!0});!n||e!==this._tries||("fault"in n?(this._fault=n.fault,this._line="",this._preview(null)):(this._line=n.text,this._preview(n.face)))}async _save(){const{key:e,_settings:t}=this;clearTimeout(this._timer),this._isSaving=!0;const s=await this._hasChanged();this._isSaving=!1,!s&&await this._change({key:e,settings:t},this._text("arrange.saved",{key:e}))}async _hasChanged(){const e=JSON.stringify(this._stored),t=this._tries+=1,s=await this._ask({});return!s||t!==this._tries?!0:(this._form=s,JSON.stringify(this._stored)===e?!1:(this._values={...this._stored?.settings},this._fault=void 0,await this._try(),this._error=this._text("arrange.changed"),!0))}async _swap(){const{key:e,_other:t}=this;await this._change({key:e,swap_with:t},this._text("arrange.swapped",{key:e,other:t}))}async _change(e,t){if(this._isSaving)return;clearTimeout(this._timer),this._tries+=1,this._isSaving=!0,this._error="";const s=await this._ask(e);this._isSaving=!1,s!==void 0&&(s&&"fault"in s?(this._fault=s.fault,this._line=""):this._close(t))}async _ask(e){const{hass:t}=this;if(t)try{return await gt(t,this.deviceId,e)}catch(s){this._error=await pe(t,s);return}}_cancel(){this._close("")}_close(e){this._preview(null),this.dispatchEvent(new CustomEvent("key-done",{detail:e}))}_keydown(e){e.key==="Escape"&&!e.defaultPrevented&&this._cancel()}_preview(e){this.dispatchEvent(new CustomEvent("key-preview",{detail:e}))}}A([w({attribute:!1})],x.prototype,"hass");A([w({attribute:!1})],x.prototype,"deviceId");A([w({attribute:!1})],x.prototype,"key");A([w({attribute:!1})],x.prototype,"keys");A([lt("ha-form")],x.prototype,"_element");A([m()],x.prototype,"_form");A([m()],x.prototype,"_values");A([m()],x.prototype,"_line");A([m()],x.prototype,"_fault");A([m()],x.prototype,"_error");A([m()],x.prototype,"_other");const gt=({connection:i,language:e},t,s)=>i.sendMessagePromise({type:`${D}/phone/arrange`,device_id:t,language:e,...s}),Be=i=>{const{select:e}=i.selector;if(!e)return i;const t=i.required||i.name==="kind",s={select:{...e,mode:"dropdown"}};return{...i,required:t,selector:s}},Ds=({label:i})=>i,Hs=({help:i})=>i||void 0,Us=i=>i;const{I:Ns}=Vt,Ve=i=>i,We=()=>document.createComment(""),j=(i,e,t)=>{const s=i._$AA.parentNode,n=e===void 0?i._$AB:e._$AA;if(t===void 0){const r=s.insertBefore(We(),n),o=s.insertBefore(We(),n);t=new Ns(r,o,i,i.options)}else{const r=t._$AB.nextSibling,o=t._$AM,l=o!==i;if(l){let a;t._$AQ?.(i),t._$AM=i,t._$AP!==void 0&&(a=i._$AU)!==o._$AU&&t._$AP(a)}if(r!==n||l){let a=t._$AA;for(;a!==r;){const p=Ve(a).nextSibling;Ve(s).insertBefore(a,n),a=p}}}return t},O=(i,e,t=i)=>(i._$AI(e,t),i),zs={},Rs=(i,e=zs)=>i._$AH=e,Is=i=>i._$AH,de=i=>{i._$AR(),i._$AA.remove()};const Fe=(i,e,t)=>{const s=new Map;for(let n=e;n<=t;n++)s.set(i[n],n);return s},js=be(class extends $e{constructor(i){if(super(i),i.type!==ht.CHILD)throw Error("repeat() can only be used in text expressions")}dt(i,e,t){let s;t===void 0?t=e:e!==void 0&&(s=e);const n=[],r=[];let o=0;for(const l of i)n[o]=s?s(l,o):o,r[o]=t(l,o),o++;return{values:r,keys:n}}render(i,e,t){return this.dt(i,e,t).values}update(i,[e,t,s]){const n=Is(i),{values:r,keys:o}=this.dt(e,t,s);if(!Array.isArray(n))return this.ut=o,r;const l=this.ut??=[],a=[];let p,g,h=0,_=n.length-1,f=0,y=r.length-1;for(;h<=_&&f<=y;)if(n[h]===null)h++;else if(n[_]===null)_--;else if(l[h]===o[f])a[f]=O(n[h],r[f]),h++,f++;else if(l[_]===o[y])a[y]=O(n[_],r[y]),_--,y--;else if(l[h]===o[y])a[y]=O(n[h],r[y]),j(i,a[y+1],n[h]),h++,y--;else if(l[_]===o[f])a[f]=O(n[_],r[f]),j(i,n[h],n[_]),_--,f++;else if(p===void 0&&(p=Fe(o,f,y),g=Fe(l,h,_)),p.has(l[h]))if(p.has(l[_])){const S=g.get(o[f]),ae=S!==void 0?n[S]:null;if(ae===null){const xe=j(i,n[h]);O(xe,r[f]),a[f]=xe}else a[f]=O(ae,r[f]),j(i,n[h],ae),n[S]=null;f++}else de(n[_]),_--;else de(n[h]),h++;for(;f<=y;){const S=j(i,a[y+1]);O(S,r[f]),a[f++]=S}for(;h<=_;){const S=n[h++];S!==null&&de(S)}return this.ut=o,Rs(i,a),E}});var Ks=Object.defineProperty,ve=(i,e,t,s)=>{for(var n=void 0,r=i.length-1,o;r>=0;r--)(o=i[r])&&(n=o(e,t,n)||n);return n&&Ks(e,t,n),n};const Bs="snom-phones-panel";class oe extends C{constructor(){super(...arguments),this.narrow=!1}static{this.styles=se`
    header {
      display: flex;
      align-items: center;
      min-height: var(--header-height, 56px);
      padding-inline: 12px;
      background-color: var(--app-header-background-color);
      color: var(--app-header-text-color);
    }
    h1 {
      margin: 0;
      font-size: 20px;
      font-weight: 400;
    }
    main {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr));
      gap: 16px;
      padding: 16px;
    }
    main.one {
      grid-template-columns: minmax(0, 1200px);
      justify-content: center;
    }
  `}render(){const e=this.hass?.language,t=this._devices(),s=this._one!==void 0;return d`
      <header>
        <ha-menu-button
          .hass=${this.hass}
          .narrow=${this.narrow}
        ></ha-menu-button>
        <h1>${u(e,"panel.title")}</h1>
      </header>
      <main class=${s?"one":""}>
        ${t.length?js(t,n=>n,n=>this._renderCard(n,s)):u(e,"panel.empty")}
      </main>
    `}get _one(){const[e]=(this.route?.path??"").split("/").filter(Boolean);return e}_devices(){return this._one!==void 0?[this._one]:this.hass?q(this.hass).map(({id:e})=>e):[]}_renderCard(e,t){const s=`custom:${B}`;return d`<snom-phone-card
      .hass=${this.hass}
      .config=${dt([e],()=>({type:s,device_id:e}))}
      ?arranging=${t}
    ></snom-phone-card>`}}ve([w({attribute:!1})],oe.prototype,"hass");ve([w({type:Boolean})],oe.prototype,"narrow");ve([w({attribute:!1})],oe.prototype,"route");const qe=[["example.light","steady","#ffc400"],["example.door","steady","#ff2a1f"],["example.garage","slow","#ffc400"],["example.heating","dark","#00c853"],["example.music","steady","#00c853"],["example.alarm","dark","#ff2a1f"],["example.mail","fast","#ff2a1f"],["example.night","dark","#00c853"]],Vs=i=>({name:u(i,"example.name"),maker:"",model:"",card:"",may:{press:!0,arrange:!1},status:"in_sync",messages:null,groups:[{kind:"screen",module:null,columns:2,rows:4,keys:qe.map((e,t)=>`${t+1}`)}],keys:qe.map(([e,t,s],n)=>({key:`${n+1}`,kind:"light",title:"",label:u(i,e),caller:"",waiting:"",light:t==="dark"?"off":"on",pattern:t,color:s,held_by:null,lacking:!1,confirming:!1,pressable:!1,entity_id:null}))}),Qe=new URL(import.meta.url).searchParams.get("v")??"";var Ws=Object.defineProperty,k=(i,e,t,s)=>{for(var n=void 0,r=i.length-1,o;r>=0;r--)(o=i[r])&&(n=o(e,t,n)||n);return n&&Ws(e,t,n),n};const Fs={not_found:"card.unknown",unauthorized:"card.refused"};class $ extends C{constructor(){super(...arguments),this.arranging=!1,this._preview=null,this._done="",this._hasStopped=!1,this._isLost=!1,this._missing="card.waiting",this._error="",this._disconnected=()=>{this._isLost=!0},this._reconnected=()=>{this._subscription=void 0,this._followed=void 0,this._follow()}}static{this.styles=se`
    :host {
      display: block;
      height: 100%;
    }
    /* A user can set fewer rows than the drawing needs. */
    ha-card {
      box-sizing: border-box;
      height: 100%;
      padding: 8px;
      overflow: auto;
    }
    ha-card.arranges {
      height: auto;
      overflow: visible;
    }
    p {
      margin: 0;
    }
    p[role="status"] {
      padding: 8px;
    }
    .bar {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding-block-end: 10px;
    }
    .error {
      padding-block-start: 10px;
      color: var(--primary-text-color);
    }
    .error::before {
      content: "⚠ ";
    }
    .foot {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 8px;
      padding-block-start: 4px;
    }
    .frame {
      container-type: inline-size;
    }
    .arranging {
      display: flex;
      flex-wrap: wrap;
      align-items: start;
      gap: 16px;
    }
    .arranging > * {
      flex: 1 1 320px;
      min-width: 0;
    }
    @container (min-width: 680px) {
      .arranging > snom-phone-face {
        position: sticky;
        top: 8px;
      }
    }
    .editor {
      padding: 8px;
      box-sizing: border-box;
    }
    button {
      min-height: 32px;
      padding-inline: 14px;
      border: 0;
      border-radius: 16px;
      font: inherit;
      color: var(--card-background-color, #fff);
      background: var(--primary-text-color, #212121);
      cursor: pointer;
    }
    button.pencil {
      display: grid;
      place-items: center;
      width: 32px;
      padding: 0;
      color: var(--secondary-text-color, #727272);
      background: none;
    }
    .pencil svg {
      width: 18px;
      height: 18px;
      fill: none;
      stroke: currentcolor;
      stroke-width: 1.5;
      stroke-linejoin: round;
    }
  `}static{this.getStubConfig=xt}static{this.getConfigForm=kt}set config(e){this.setConfig(e)}setConfig(e){et(e),this._config=e}getCardSize(){const e=(this._phone?.groups??[]).map(t=>t.rows);return 4+Math.max(...e,2)}getGridOptions(){return{columns:12,min_columns:6}}connectedCallback(){super.connectedCallback(),this._follow()}disconnectedCallback(){super.disconnectedCallback(),this._unfollow(),this._listen(void 0)}shouldUpdate(e){const t=e.get("hass");return e.size>1||!t||t.language!==this.hass?.language||t.config.components!==this.hass.config.components}willUpdate(e){(e.has("hass")||e.has("_config"))&&this._follow()}render(){const e=this.hass?.language;if(!this._config?.device_id)return this._renderExample();const t=this._phone;return t?d`<ha-card class=${this._isArranging?"arranges":""}>
      ${t.card===Qe||!Qe?c:d`<div class="bar" role="alert">
              <p>${u(e,"card.reload")}</p>
              <button type="button" @click=${this._reload}>
                ${u(e,"card.reload_now")}
              </button>
            </div>`}
      <div class="frame">
        <div class=${this._isArranging?"arranging":""}>
          <snom-phone-face
            .face=${this._preview?Ge(t,{keys:[this._preview]}):t}
            .language=${e}
            .stopped=${this._hasStopped}
            .lost=${this._isLost}
            .nameless=${this._config.show_name===!1}
            .arranging=${this._isArranging}
            .chosen=${this._chosen}
            @key-press=${this._press}
            @key-hold=${this._showMore}
            @key-choose=${this._choose}
            @key-swap=${this._swap}
          ></snom-phone-face>
          ${this._isArranging?this._renderEditor(t):c}
        </div>
      </div>
      ${t.may.arrange&&!this._hasStopped&&!this._isLost?this._renderPencil():c}
      ${this._error?d`<p class="error" role="alert">${this._error}</p>`:c}
    </ha-card>`:this._renderText(this._missing)}_renderExample(){const{hass:e}=this,t=e&&!q(e).length,s=u(e?.language,t?"panel.empty":"card.no_device");return d`<ha-card>
      <p role="status">${s}</p>
      <snom-phone-face
        .face=${Vs(e?.language)}
        .language=${e?.language}
      ></snom-phone-face>
    </ha-card>`}get _isArranging(){const e=this._phone?.may.arrange??!1;return this.arranging&&e&&!this._hasStopped}_renderPencil(){const{language:e}=this.hass??{},t=this._isArranging,s=u(e,"arrange.start");return d`<div class="foot">
      <p role="status">${t&&this._done||c}</p>
      <button
        type="button"
        class=${t?"":"pencil"}
        aria-pressed=${t}
        aria-label=${s}
        title=${s}
        @click=${this._toggle}
      >
        ${t?u(e,"arrange.done"):ds}
      </button>
    </div>`}_renderEditor({keys:e}){return d`<div class="editor">
      ${e.every(({key:t})=>t!==this._chosen)?d`<p>${u(this.hass?.language,"arrange.hint")}</p>`:d`<snom-key-editor
              .hass=${this.hass}
              .deviceId=${this._shown??""}
              .key=${this._chosen??""}
              .keys=${e}
              @key-preview=${this._showPreview}
              @key-done=${this._end}
            ></snom-key-editor>`}
    </div>`}_renderText(e){const t=u(this.hass?.language,e,{message:this._error});return d`<ha-card><p role="status">${t}</p></ha-card>`}_follow(){const e=this._config?.device_id;!this.isConnected||!this.hass||e===this._followed||(this._unfollow(),e!==this._shown&&(this._shown=e,this._phone=this._chosen=void 0,this._preview=null,this._hasStopped=!1,this._isLost=!1,this._missing="card.waiting",this._error=""),!(!e||!this.hass.config.components.includes(D))&&(this._followed=e,this._subscribe(this.hass.connection,e)))}_subscribe(e,t){const s=e.subscribeMessage(n=>{this._subscription===s&&this._take(n)},{type:`${D}/phone/subscribe`,device_id:t},{resubscribe:!1});this._subscription=s,this._listen(e),s.catch(n=>{this._subscription===s&&this._fail(n)})}_listen(e){e!==this._connection&&(this._connection?.removeEventListener("disconnected",this._disconnected),this._connection?.removeEventListener("ready",this._reconnected),this._connection=e,e?.addEventListener("disconnected",this._disconnected),e?.addEventListener("ready",this._reconnected))}_fail({code:e="",message:t=""}){if(this._subscription=void 0,e==="unknown_command"){this._followed=void 0;return}this._phone=void 0,this._isLost=!1,this._error=t,this._missing=Fs[e]??"card.failed"}_unfollow(){this._subscription?.then(e=>e()).catch(()=>{}),this._subscription=void 0,this._followed=void 0}_take(e){this._isLost=!1,"phone"in e?(this._phone=e.phone,this._hasStopped=!1):"changes"in e?this._phone&&(this._phone=Ge(this._phone,e.changes)):e.gone==="stopped"?(this._hasStopped=!0,this._missing="card.stopped"):(this._phone=void 0,this._missing=e.gone==="removed"?"card.removed":"card.refused")}_reload(){location.reload()}async _press({detail:e}){const{hass:t}=this;if(t){this._error="";try{const s={device_id:this._shown,key:e};await t.callService(D,"press_key",s,void 0,!1)}catch(s){this._error=await pe(t,s)}}}_toggle(){this.arranging=!this.arranging,this._chosen=void 0,this._preview=null,this._done=""}_choose({detail:e}){this._chosen=e,this._preview=null,this._done=this._error=""}_showPreview({detail:e}){this._preview=e}async _end({detail:e}){const t=this._chosen;this._chosen=void 0,this._preview=null,this._done=e,await this.updateComplete,t!==void 0&&this._view?.focusOn(t)}async _swap({detail:[e,t]}){const{hass:s}=this;if(s){this._chosen=void 0,this._preview=null,this._done=this._error="";try{const n=await gt(s,this._shown??"",{key:e,swap_with:t});n?this._error=n.fault.text:this._done=u(s.language,"arrange.swapped",{key:e,other:t})}catch(n){this._error=await pe(s,n)}}}_showMore({detail:e}){const t=this._phone?.keys.find(({key:s})=>s===e);t?.entity_id&&this.dispatchEvent(new CustomEvent("hass-more-info",{detail:{entityId:t.entity_id},bubbles:!0,composed:!0}))}}k([w({attribute:!1})],$.prototype,"hass");k([w({type:Boolean})],$.prototype,"arranging");k([lt("snom-phone-face")],$.prototype,"_view");k([m()],$.prototype,"_chosen");k([m()],$.prototype,"_preview");k([m()],$.prototype,"_done");k([m()],$.prototype,"_config");k([m()],$.prototype,"_phone");k([m()],$.prototype,"_hasStopped");k([m()],$.prototype,"_isLost");k([m()],$.prototype,"_missing");k([m()],$.prototype,"_error");const Ge=(i,{keys:e=[],...t})=>{const s=new Map(e.map(n=>[n.key,n]));return{...i,...t,keys:s.size?i.keys.map(n=>s.get(n.key)??n):i.keys}},Ye="snom-phones",Xe="mdi:deskphone",ce=i=>({type:"grid",cards:[i]});class qs extends HTMLElement{static{this.noEditor=!0}static{this.registryDependencies=["devices","entities"]}static getCreateSuggestions(e){return{title:u(e.language,"panel.title"),icon:Xe}}static generate(e,t){const{language:s}=t,n=q(t).map(({id:o})=>ce({type:`custom:${B}`,device_id:o})),r=mt(t).flatMap(({id:o})=>yt(t,o));if(r.length){const o=u(s,"strategy.lines");n.push(ce({type:"entities",title:o,entities:r}))}if(!n.length){const o=u(s,"strategy.empty");n.push(ce({type:"markdown",content:o}))}return Promise.resolve({views:[{type:"sections",title:u(s,"panel.title"),icon:Xe,dense_section_placement:!0,sections:n}]})}}const _t="https://github.com/snom-buttons/snom_buttons/blob/main/docs/card.md",Q=(i,e)=>customElements.get(i)?!1:(customElements.define(i,e),!0);Q(vs,b);Q(Os,x);Q(Bs,oe);Q(B,$)&&(window.customCards??=[]).push({type:B,get name(){return u(M(),"card.name")},get description(){return u(M(),"card.description")},preview:!0,documentationURL:_t,getEntitySuggestion:At});Q(`ll-strategy-dashboard-${Ye}`,qs)&&(window.customStrategies??=[]).push({type:Ye,strategyType:"dashboard",get name(){return u(M(),"panel.title")},get description(){return u(M(),"strategy.description")},documentationURL:_t});
/**
 * @license
 * Copyright 2019 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2018 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
/**
 * @license
 * Copyright 2020 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */
